"""Simulated access points that are polled one by one: each a tree of what the AP says now."""

from typing import Final

from collectors.fleet.agent import Oid, Value
from collectors.fleet.city import ApNow
from collectors.fleet.standard_mibs import (
    ENTERPRISES,
    ETHERNET,
    WIRELESS,
    Interface,
    dot11,
    interfaces,
    mac_octets,
    system,
)
from config.deployment import AccessPoint

SSID: Final = "valmont.wifi"
_NO_MAC: Final = "00:00:5e:00:53:ff"
_UNIFI: Final = (*ENTERPRISES, 41112, 1, 6)
_MIKROTIK_WL_AP: Final = (*ENTERPRISES, 14988, 1, 1, 1, 3, 1)
_MIKROTIK_WL_RTAB: Final = (*ENTERPRISES, 14988, 1, 1, 1, 2, 1)
_EXAMPLE_ENTERPRISE: Final = 32473
"""Reserved for documentation (RFC 5612): a vendor that nobody has a profile for."""


def unifi(ap: AccessPoint, now: ApNow) -> dict[Oid, Value]:
    """UBNT-UniFi-MIB: two radios with one virtual AP each."""
    mac = mac_octets(ap.mac or _NO_MAC)
    share = (now.clients_2g + 1) / (now.clients + 2)
    tree = system("UAP-AC-Pro 6.6.77.15402", (*ENTERPRISES, 41112), ap.ap, now.uptime_s)
    tree |= interfaces(
        [
            Interface("eth0", ETHERNET, mac, now.tx_bytes, now.rx_bytes, 32),
            Interface("ath0", ETHERNET, mac, now.rx_bytes, now.tx_bytes, 32),
        ]
    )
    slow = (now.rx_bytes // 4, now.tx_bytes // 4)
    fast = (now.rx_bytes - slow[0], now.tx_bytes - slow[1])
    radios = (
        (1, "ng", 6, now.clients_2g, share, slow),
        (2, "na", 44, now.clients_5g, 1 - share, fast),
    )
    for index, band, channel, clients, part, (rx, tx) in radios:
        busy = int(now.channel_utilisation * part)
        radio, vap = (*_UNIFI, 1, 1, 1), (*_UNIFI, 1, 2, 1)
        tree |= {
            (*radio, 1, index): ("integer", index),
            (*radio, 2, index): ("octets", f"wifi{index - 1}".encode()),
            (*radio, 3, index): ("octets", band.encode()),
            (*radio, 6, index): ("integer", busy),
            (*radio, 7, index): ("integer", busy // 4),
            (*radio, 8, index): ("integer", busy // 2),
            (*radio, 9, index): ("integer", busy // 4),
            (*vap, 1, index): ("integer", index),
            (*vap, 2, index): ("octets", mac),
            (*vap, 4, index): ("integer", channel),
            (*vap, 6, index): ("octets", SSID.encode()),
            (*vap, 7, index): ("octets", f"ath{index - 1}".encode()),
            (*vap, 8, index): ("integer", clients),
            (*vap, 9, index): ("octets", band.encode()),
            (*vap, 10, index): ("counter32", rx),
            (*vap, 16, index): ("counter32", tx),
            (*vap, 22, index): ("integer", 1),
        }
    tree |= {
        (*_UNIFI, 3, 3, 0): ("octets", b"UAP-AC-Pro"),
        (*_UNIFI, 3, 5, 0): ("integer", now.uptime_s),
        (*_UNIFI, 3, 6, 0): ("octets", b"6.6.77.15402"),
    }
    return tree


def mikrotik(ap: AccessPoint, now: ApNow) -> dict[Oid, Value]:
    """MIKROTIK-MIB: the client count is typed Counter32 and is none; clients are listed."""
    mac = mac_octets(ap.mac or _NO_MAC)
    tree = system("RouterOS RB962UiGS-5HacT2HnT", (*ENTERPRISES, 14988, 1), ap.ap, now.uptime_s)
    wired = Interface("ether1", ETHERNET, mac, now.tx_bytes, now.rx_bytes, 64)
    slow = (now.rx_bytes // 4, now.tx_bytes // 4)
    tree |= interfaces(
        [
            wired,
            Interface("wlan1", WIRELESS, mac, slow[0], slow[1], 64),
            Interface("wlan2", WIRELESS, mac, now.rx_bytes - slow[0], now.tx_bytes - slow[1], 64),
        ]
    )
    for index, frequency, band, clients in (
        (2, 2437, "2ghz-b/g/n", now.clients_2g),
        (3, 5220, "5ghz-a/n/ac", now.clients_5g),
    ):
        tree |= {
            (*_MIKROTIK_WL_AP, 4, index): ("octets", SSID.encode()),
            (*_MIKROTIK_WL_AP, 5, index): ("octets", mac),
            (*_MIKROTIK_WL_AP, 6, index): ("counter32", clients),
            (*_MIKROTIK_WL_AP, 7, index): ("integer", frequency),
            (*_MIKROTIK_WL_AP, 8, index): ("octets", band.encode()),
            (*_MIKROTIK_WL_AP, 9, index): ("integer", -103),
            (*_MIKROTIK_WL_AP, 11, index): ("counter32", clients),
        }
    for number, station in enumerate(now.stations):
        index = 2 if number < now.clients_2g else 3
        tree |= {
            (*_MIKROTIK_WL_RTAB, 3, *station, index): ("integer", -45 - number % 40),
            (*_MIKROTIK_WL_RTAB, 8, *station, index): ("gauge32", 144_400_000),
        }
    return tree


def generic(ap: AccessPoint, now: ApNow) -> dict[Oid, Value]:
    """Standard MIBs only: traffic in 32 bits, and not a word about clients."""
    mac = mac_octets(ap.mac or _NO_MAC)
    tree = system(
        "Outdoor access point", (*ENTERPRISES, _EXAMPLE_ENTERPRISE, 1), ap.ap, now.uptime_s
    )
    tree |= interfaces(
        [
            Interface("eth0", ETHERNET, mac, now.tx_bytes, now.rx_bytes, 32),
            Interface("wlan0", WIRELESS, mac, now.rx_bytes, now.tx_bytes, 32),
        ]
    )
    return tree | dot11(2, mac, SSID, 11)
