"""Simulated WLAN controllers: one tree with a row for every access point behind it."""

from collections.abc import Sequence
from typing import Final

from collectors.fleet.agent import Oid, Value
from collectors.fleet.city import ApNow
from collectors.fleet.standard_mibs import ENTERPRISES, mac_octets, system, text_index
from config.deployment import AccessPoint

SSIDS: Final = (("valmont.wifi", 0.8), ("valmont.wifi-seniors", 0.2))
"""Network names, and the share of clients on each."""

_AIRESPACE: Final = (*ENTERPRISES, 14179, 2)
_LWAPP: Final = (*ENTERPRISES, 9, 9, 513, 1)
_WLSX: Final = (*ENTERPRISES, 14823, 2, 2, 1)
_RADIOS: Final = ((0, 1, 6), (1, 2, 44))
"""Slot, type (1: 2.4 GHz, 2: 5 GHz) and channel."""

Rows = Sequence[tuple[AccessPoint, ApNow]]
"""Those with a MAC address; APs that are down are in it too, as on a real controller."""


def aireos(name: str, uptime_s: int, rows: Rows) -> dict[Oid, Value]:
    """AIRESPACE-WIRELESS-MIB and CISCO-LWAPP-AP-MIB of a Cisco AireOS controller."""
    tree = system("Cisco Controller", (*ENTERPRISES, 9, 1, 1069), name, uptime_s)
    up = [now for _, now in rows if now.up]
    tree |= {
        (*ENTERPRISES, 9, 9, 618, 1, 8, 4, 0): ("gauge32", len(up)),
        (*_LWAPP, 3, 35, 0): ("gauge32", len(up)),
    }
    for wlan, (ssid, clients) in enumerate(_by_ssid(sum(now.clients for now in up)), start=1):
        tree |= {
            (*_AIRESPACE, 1, 1, 1, 2, wlan): ("octets", ssid.encode()),
            (*_AIRESPACE, 1, 1, 1, 6, wlan): ("integer", 1),
            (*_AIRESPACE, 1, 1, 1, 38, wlan): ("counter32", clients),
        }
    for ap, now in rows:
        index = tuple(mac_octets(ap.mac or ""))
        entry = (*_AIRESPACE, 2, 1, 1)
        tree |= {
            (*entry, 1, *index): ("octets", bytes(index)),
            (*entry, 3, *index): ("octets", ap.ap.encode()),
            (*entry, 4, *index): ("octets", ap.site.encode()),
            (*entry, 6, *index): ("integer", 1 if now.up else 2),
            (*entry, 8, *index): ("octets", b"8.10.196.0"),
            (*entry, 16, *index): ("octets", b"AIR-AP2802I-E-K9"),
            (*entry, 33, *index): ("octets", bytes(index)),
            (*entry, 37, *index): ("integer", 1),
        }
        for slot, kind, channel in _RADIOS:
            clients = (now.clients_2g, now.clients_5g)[slot] if now.up else 0
            radio = (*_AIRESPACE, 2, 2, 1)
            tree |= {
                (*radio, 1, *index, slot): ("integer", slot),
                (*radio, 2, *index, slot): ("integer", kind),
                (*radio, 4, *index, slot): ("integer", channel),
                (*radio, 12, *index, slot): ("integer", 2 if now.up else 1),
                # A gauge in truth, a counter by type: so the MIB wants it.
                (*radio, 15, *index, slot): ("counter32", clients),
                (*radio, 34, *index, slot): ("integer", 1),
                (*_AIRESPACE, 2, 13, 1, 3, *index, slot): (
                    "integer",
                    now.channel_utilisation // (1 + slot) if now.up else 0,
                ),
            }
        if now.up:
            tree |= {
                (*_LWAPP, 1, 1, 1, 6, *index): ("timeticks", now.uptime_s * 100 % 2**32),
                (*_LWAPP, 1, 1, 1, 54, *index): ("gauge32", now.clients),
                # The AP's Ethernet receives what its clients are sent.
                (*_LWAPP, 2, 2, 1, 13, *index, 0): ("counter32", now.tx_bytes),
                (*_LWAPP, 2, 2, 1, 14, *index, 0): ("counter32", now.rx_bytes),
            }
            for number, station in enumerate(now.stations):
                entry = (*_AIRESPACE, 1, 4, 1)
                tree |= {
                    (*entry, 1, *station): ("octets", station),
                    (*entry, 4, *station): ("octets", bytes(index)),
                    (*entry, 5, *station): ("integer", int(number >= now.clients_2g)),
                    (*entry, 7, *station): ("octets", SSIDS[0][0].encode()),
                    (*entry, 9, *station): ("integer", 3),
                }
    return tree


def aruba(name: str, uptime_s: int, rows: Rows) -> dict[Oid, Value]:
    """WLSX-SWITCH-MIB and WLSX-WLAN-MIB of an Aruba controller."""
    descr = "ArubaOS (MODEL: Aruba7030), Version 8.10.0.9"
    tree = system(descr, (*ENTERPRISES, 14823, 1, 1, 41), name, uptime_s)
    up = [now for _, now in rows if now.up]
    stations = sum(now.clients for now in up)
    tree |= {
        (*_WLSX, 1, 3, 1, 0): ("gauge32", len(up)),
        (*_WLSX, 1, 3, 2, 0): ("gauge32", stations),
    }
    for ssid, clients in _by_ssid(stations):
        tree[(*_WLSX, 5, 2, 1, 8, 1, 2, *text_index(ssid))] = ("gauge32", clients)
    for ap, now in rows:
        index = tuple(mac_octets(ap.mac or ""))
        entry = (*_WLSX, 5, 2, 1, 4, 1)
        tree |= {
            (*entry, 3, *index): ("octets", ap.ap.encode()),
            (*entry, 4, *index): ("octets", b"sports"),
            (*entry, 12, *index): ("timeticks", now.uptime_s * 100 % 2**32 if now.up else 0),
            (*entry, 13, *index): ("oid", (*ENTERPRISES, 14823, 1, 2, 105)),
            (*entry, 14, *index): ("octets", ap.site.encode()),
            (*entry, 19, *index): ("integer", 1 if now.up else 2),
        }
        if not now.up:
            continue
        slow = (now.rx_bytes // 4, now.tx_bytes // 4)
        fast = (now.rx_bytes - slow[0], now.tx_bytes - slow[1])
        few = now.clients_2g
        radios = (
            (1, "6", few, now.stations[:few], slow),
            (2, "44E", now.clients_5g, now.stations[few:], fast),
        )
        for radio, channel, clients, who, (rx, tx) in radios:
            entry = (*_WLSX, 5, 2, 1, 5, 1)
            stats = (*_WLSX, 5, 3, 1, 1, 1)
            # No AP's own address: locally administered, as those of virtual APs are.
            bssid = (index[0] | 2, *index[1:3], index[3] ^ radio << 4, *index[4:])
            tree |= {
                (*entry, 3, *index, radio): ("integer", int(channel.rstrip("E"))),
                (*entry, 6, *index, radio): ("integer", now.channel_utilisation // radio),
                (*entry, 7, *index, radio): ("integer", clients),
                (*entry, 15, *index, radio): ("octets", channel.encode()),
                (*entry, 16, *index, radio): ("octets", ap.ap.encode()),
                (*_WLSX, 5, 2, 1, 7, 1, 2, *index, radio, *bssid): ("octets", SSIDS[0][0].encode()),
                (*stats, 23, *index, radio, *bssid): ("counter64", rx),
                (*stats, 25, *index, radio, *bssid): ("counter64", tx),
            }
            for station in who:
                entry = (*_WLSX, 5, 2, 2, 1, 1)
                tree |= {
                    (*entry, 2, *station): ("octets", bytes(bssid)),
                    (*entry, 12, *station): ("octets", SSIDS[0][0].encode()),
                }
    return tree


def _by_ssid(clients: int) -> list[tuple[str, int]]:
    """Clients per network name; they add up."""
    few = round(clients * SSIDS[1][1])
    return [(SSIDS[0][0], clients - few), (SSIDS[1][0], few)]
