import json
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.scrub import MASK, readable, scrub_macs


def grouped(separator: str, size: int) -> Callable[[str], str]:
    return lambda digits: separator.join(digits[i : i + size] for i in range(0, 12, size))


def unpadded(digits: str) -> str:
    return ":".join(f"{int(digits[i : i + 2], 16):x}" for i in range(0, 12, 2))


SPELLINGS: dict[str, Callable[[str], str]] = {
    "colons": grouped(":", 2),
    "dashes": grouped("-", 2),
    "dots": grouped(".", 2),
    "spaces": grouped(" ", 2),
    "underscores": grouped("_", 2),
    "Cisco": grouped(".", 4),
    "fours with dashes": grouped("-", 4),
    "halves": grouped("-", 6),
    "bare": str,
    "unpadded": unpadded,
    "URL": grouped("%3A", 2),
    "JSON escapes": grouped("\\u003a", 2),
}
digits_of_macs = st.binary(min_size=6, max_size=6).map(bytes.hex)
spellings = st.sampled_from(sorted(SPELLINGS))
around = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("0123456789abcdefABCDEF:.-")))


@given(digits_of_macs, spellings, st.booleans(), around, around)
@example("112233445566", "bare", False, "aabbccddeef", "")
@example("112233445566", "Cisco", False, "1111.", ".2222")
def test_no_address_survives_whatever_stands_around_it(
    digits: str, spelling: str, upper: bool, before: str, after: str
) -> None:
    spelled = SPELLINGS[spelling](digits)
    spelled = spelled.upper() if upper and "\\" not in spelled else spelled

    kept = scrub_macs(before + spelled + after)

    assert spelled not in kept
    # The lower half tells devices of one maker apart: it must not be left on its own either.
    lower = SPELLINGS[spelling](digits)[-len(spelled) // 2 :].lower()
    assert lower not in kept.lower() or lower in (before + after).lower()


@given(digits_of_macs, st.sampled_from(["colons", "dashes", "Cisco", "bare"]))
def test_addresses_go_from_json_and_topics(digits: str, spelling: str) -> None:
    mac = SPELLINGS[spelling](digits)

    document = json.loads(scrub_macs(json.dumps({"station": mac, mac: 3, "list": [mac, mac]})))
    topic = scrub_macs(f"hotspots/library/{mac}/telemetry")

    assert mac not in json.dumps(document)
    assert document["list"][0] == document["list"][1] != mac
    assert re.fullmatch(r"hotspots/library/[^/+#]+/telemetry", topic)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-05T10:04:00Z",
        "2026-03-05 10:04:00+01:00",
        "10.0.0.7",
        "192.168.100.200",
        "1.3.6.1.4.1.14179.2.2.1.1.3",
        '{"clients": 12, "rx_bytes": 98765432101}',
        "hotspots/bibliotheque-marcinelle/ap-3/telemetry",
        "1762900000",
    ],
)
def test_what_is_no_address_is_kept_for_the_operator(text: str) -> None:
    assert scrub_macs(text) == text


@pytest.mark.parametrize(
    "spelled",
    [
        "[166, 195, 97, 157, 23, 229]",
        "166.195.97.157.23.229",
        "1.3.6.1.4.1.14179.2.1.4.1.4.166.195.97.157.23.229",
        "0xa6,0xc3,0x61,0x9d,0x17,0xe5",
        "0xA6 0xC3 0x61 0x9D 0x17 0xE5",
        "a6, c3, 61, 9d, 17, e5",
        "%a6%c3%61%9d%17%e5",
        "\\xa6\\xc3\\x61\\x9d\\x17\\xe5",
        "\\u00a6\\u00c3\\u0061\\u009d\\u0017\\u00e5",
        "psNhnRfl",
    ],
)
def test_nor_does_one_written_as_octets(spelled: str) -> None:
    for text in (spelled, f'{{"station": "{spelled}", "snr": 30}}', f"a/{spelled}/telemetry"):
        kept = scrub_macs(text)
        assert MASK in kept
        assert not {"195", "c3", "C3", "psNh"} & set(re.split(r"[^0-9a-zA-Z]|0x|0X", kept))


@given(
    st.text(
        alphabet=st.characters(
            exclude_characters="0123456789abcdefABCDEF", categories=["Ll", "P", "Z"]
        )
    )
)
def test_words_are_untouched(text: str) -> None:
    assert scrub_macs(text) == text


@pytest.mark.parametrize("text", ["", '{"clients": 3}\r\n\t', "Bibliothèque, café"])
def test_what_is_text_is_readable(text: str) -> None:
    assert readable(text.encode()) == text


@pytest.mark.parametrize("content", [b"\x02Client", b"\x0a\x06Abcdef", b"Abcde\xff", b"\x1b[0m"])
def test_what_is_no_text_is_only_counted(content: bytes) -> None:
    assert readable(content) == f"no text: {len(content)} octets"
