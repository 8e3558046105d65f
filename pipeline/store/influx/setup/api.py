"""The parts of InfluxDB's HTTP API that setting up and looking after a server need."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from pydantic import SecretStr
from urllib3.exceptions import HTTPError

from pipeline.spool.destination import MisconfiguredError
from pipeline.store.influx.server import translated


class AdminApi:
    """A server and a token. Every method raises the errors of `pipeline.spool.destination`."""

    def __init__(self, *, url: str, token: SecretStr, timeout_s: float = 30.0):
        self.url = url.rstrip("/")
        # Any: the library is annotated in part only.
        self._client: Any = InfluxDBClient(
            url=self.url,
            token=token.get_secret_value(),
            timeout=int(timeout_s * 1000),
            retries=False,
        )

    def version(self) -> str:
        """What the server says that it is, such as `2.7.12`."""
        _, headers = self._request("GET", "/ping", {}, None, json=False)
        version = headers.get("X-Influxdb-Version", "").lstrip("v")
        if not version:
            raise MisconfiguredError(
                f"{self.url} answers, but not as an InfluxDB does; check store.url"
            )
        return str(version)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """Ask for a JSON document."""
        return self._request("GET", path, query or {}, None)[0]

    def find(self, path: str, query: Mapping[str, str]) -> Any:
        """Ask for a JSON document; None where the server has none such (404)."""
        return self._request("GET", path, query, None, may_lack=True)[0]

    def send(self, method: str, path: str, document: Mapping[str, Any]) -> Any:
        """Send a JSON document; gives the answer's."""
        return self._request(method, path, {}, document)[0]

    def influxql(self, statement: str, *, about: str) -> list[list[Any]]:
        """Ask one InfluxQL statement of a few rows.

        `about` stands for it in an error: the statement may hold a password.
        """
        answer, _ = self._request("POST", "/query", {"q": statement}, None)
        (result,) = answer["results"]
        if "error" in result:
            raise MisconfiguredError(f"InfluxDB at {self.url}: {about}: {result['error']}")
        series = result.get("series") or []
        return [row for part in series for row in part.get("values") or []]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        document: Mapping[str, Any] | None,
        *,
        json: bool = True,
        may_lack: bool = False,
    ) -> tuple[Any, Mapping[str, str]]:
        try:
            content, _, headers = self._client.api_client.call_api(
                path,
                method,
                query_params=list(query.items()),
                header_params={"Accept": "application/json", "Content-Type": "application/json"},
                body=document,
                response_type=object if json else None,
                _return_http_data_only=False,
            )
        except (ApiException, HTTPError, OSError) as error:
            if may_lack and getattr(error, "status", None) == HTTPStatus.NOT_FOUND:
                return None, {}
            raise translated(self.url, error) from error
        return content, headers
