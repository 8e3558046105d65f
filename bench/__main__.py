"""Run every benchmark, one after the other, each in a process of its own."""

import subprocess
import sys

BENCHMARKS = ("snmp_engines", "mqtt", "store", "influx", "usage", "scale")


def main() -> int:
    """Print every benchmark's table; the exit code is the number of those that failed."""
    failed = 0
    for name in BENCHMARKS:
        print(f"\n== {name}", flush=True)
        failed += (
            subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode != 0
        )
    return failed


sys.exit(main())
