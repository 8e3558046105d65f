"""A deployment with the vendor profiles that its devices may name."""

from pathlib import Path

from cli.notifiers import problem_of
from cli.options import bad_input, deployment_folder
from collectors.snmp.profiles import Profiles, load_profiles
from config.deployment import Deployment
from config.loader import load


def open_with_profiles(option: Path | None) -> tuple[Deployment, Profiles]:
    """Load the deployment and the vendor profiles that its devices may name, or leave likewise."""
    folder = deployment_folder(option)
    with bad_input():
        profiles = load_profiles(folder / "profiles")
        return load(folder, profiles=profiles, notifiers=problem_of), profiles
