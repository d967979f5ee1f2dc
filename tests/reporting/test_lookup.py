"""The served browser answers what the rows say, whatever table and row group they are in."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import urllib.request
from pathlib import Path
from typing import Any

import pyarrow.dataset as pds
import pytest

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.reporting.access import RowAccess
from hf_oss_instruct.reporting.lookup import RowLookup
from hf_oss_instruct.reporting.rows import open_rows
from hf_oss_instruct.reporting.server import ReportServer, _numbers, serve

from .datasets import kept, rejected, run_folder

KEPT, REJECTED = 2_300, 40


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three row groups of kept rows, and rejected ones."""
    rows = [kept(number) for number in range(KEPT)]
    return run_folder(tmp_path_factory.mktemp("run"), rows, [rejected(number, "duplicate") for number in range(REJECTED)])


def test_rows_come_by_number_from_any_row_group_in_the_order_asked_for(run: Path) -> None:
    access = RowAccess(pds.dataset(sorted((run / "data").glob("*.parquet"))))
    assert len(access) == KEPT
    places = [2_299, 0, 1_000, 999, 2_299]
    assert [row["index"] for row in access.take(places, ["index"])] == places


def pages(lookup: RowLookup, text: str = "", **chosen: str) -> list[str]:
    """The keys of every row that is found, page after page."""
    keys: list[str] = []
    while True:
        found = lookup.find(text, chosen, len(keys), 200)
        keys += [item["key"] for item in found["items"]]
        if not found["items"] and not found["cursor"]:
            assert found["total"] == len(keys)
            return keys


def test_filters_and_search_agree_with_the_rows(run: Path) -> None:
    lookup = RowLookup(open_rows(run))
    every = pages(lookup)
    assert len(every) == len(set(every)) == KEPT + REJECTED
    python = [f"kept-{number}" for number in range(0, KEPT, 4)] + [f"rejected-{number}" for number in range(0, REJECTED, 4)]
    assert pages(lookup, lang="python") == python
    assert pages(lookup, table="rejected", lang="cpp", reason="duplicate") == [f"rejected-{n}" for n in range(1, REJECTED, 4)]
    assert pages(lookup, repository="owner/repo6", table="kept") == [f"kept-{number}" for number in range(6, KEPT, 7)]
    assert pages(lookup, "CASE2299 ") == ["kept-2299"]
    assert pages(lookup, "answer 39", table="rejected") == ["rejected-39"]
    assert pages(lookup, lang="cobol") == []
    assert pages(lookup, "no such words") == []


def test_the_values_of_a_filter_are_read_when_they_are_asked_for(run: Path) -> None:
    lookup = RowLookup(open_rows(run))
    facets = {facet["name"]: facet["values"] for facet in lookup.facets()}
    assert facets.pop("table") == ["kept", "rejected"]
    assert set(facets) == {"lang", "license", "reason", "status", "rate", "repository"}
    assert set(facets.values()) == {None}
    assert lookup.values("lang") == ["cpp", "java", "python", "typescript"]
    assert lookup.values("license") == ["Apache-2.0", "MIT"]
    assert lookup.values("reason") == ["duplicate"]
    assert lookup.values("status") == lookup.values("no such filter") == []


def test_a_row_is_found_by_key_and_by_id(run: Path) -> None:
    lookup = RowLookup(open_rows(run))
    found = lookup.row("kept-1500")
    assert found is not None
    assert found["row"]["index"] == 1500
    assert found["row"]["_link"].startswith("https://github.com/owner/repo2/blob/aaaa")
    assert lookup.row(f"{1500:032x}") == found
    for nothing in ("kept-2300", "rejected-40", "kept--1", "", "x" * 10_000):
        assert lookup.row(nothing) is None


def status(server: ReportServer, path: str, host: str | None = None, method: str = "GET") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    connection.request(method, path, headers={"Host": host} if host else {})
    return connection.getresponse().status


def test_the_server_answers_its_own_page_only_and_changes_nothing(run: Path) -> None:
    with ReportServer(open_rows(run), 0) as server:
        server.start()
        assert server.server_address[0] == "127.0.0.1"
        with urllib.request.urlopen(server.address + "api/rows?lang=python&limit=3") as answer:
            found: Any = json.load(answer)
        assert [item["key"] for item in found["items"]] == ["kept-0", "kept-4", "kept-8"]
        assert status(server, "/") == 200
        assert status(server, "/api/rows", host="evil.example") == 403
        assert status(server, "/api/rows?offset=many") == 400
        assert status(server, "/../../etc/passwd") == 404
        assert status(server, "/", method="POST") == 501
        with socket.create_connection(server.server_address) as client:
            client.sendall(f"GET http://[ HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\n\r\n".encode())
            assert b" 400 " in client.recv(100)


def test_a_browser_that_goes_away_prints_nothing(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with ReportServer(open_rows(run), 0) as server:
        server.start()
        with socket.create_connection(server.server_address) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets the connection
            client.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\n\r\n".encode())
        assert status(server, "/") == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("numbers", ["{}", '{"format_version": 1, "funnel": {}, "composition": {}}', "[", "[1]"])
def test_a_report_that_cannot_be_shown_is_named_or_left_out(tmp_path: Path, numbers: str) -> None:
    run = run_folder(tmp_path / "run", [kept(0)])
    (run / "report").mkdir()
    (run / "report" / "report.json").write_text(numbers)
    if "funnel" in numbers:
        with pytest.raises(UsageError, match=r"KeyError.*Make the report again, or delete its report\.json"):
            serve(str(run), None, 0, lambda _: None)
    else:
        assert _numbers(run / "report" / "report.json") is None
