"""Where weights come from, with a hub of our own: a cache with a saved pipeline, and servers that have it or not."""

import hashlib
import json
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support import bench, environment, rows

pytestmark = pytest.mark.slow

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SCENARIO = """\
title: from the hub
model: somebody/something
call: {prompt: a cat, num_inference_steps: 2}
samples: 1
cases: {a: {}}
"""


def run(folder, **variables):
    """Run the scenario with these variables; return the process and the row of its case."""
    (folder / "hub.yaml").write_text(SCENARIO)
    variables = {"HF_HUB_OFFLINE": "0", **variables}
    process = bench("run", "hub.yaml", "--device", "cpu", "--output", "run", cwd=folder, env=environment(**variables))
    (row,) = rows(folder / "run" / "results.csv")
    return process, row


@pytest.fixture
def cache(saved_pipeline, tmp_path):
    """A hub cache that has `somebody/something` as the hub's own client stores it."""
    repository = tmp_path / "hub" / "models--somebody--something"
    shutil.copytree(saved_pipeline, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    return tmp_path / "hub"


def serving(handler):
    """Serve on this machine and yield the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def hub_that_knows_nothing():
    class NotFound(BaseHTTPRequestHandler):
        def answer(self):
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = do_POST = answer  # noqa: N815 - the names that the base class calls

        def log_message(self, *_):
            pass

    yield from serving(NotFound)


@pytest.fixture
def hub_that_knows(saved_pipeline):
    """A hub that has the saved pipeline as `somebody/something`, and answers the hub's own client."""
    files = {str(path.relative_to(saved_pipeline)): path.read_bytes() for path in saved_pipeline.rglob("*.*")}
    tree = [{"type": "file", "path": name, "size": len(data), "oid": "0"} for name, data in files.items()]
    siblings = [{"rfilename": name} for name in files]
    api = "/api/models/somebody/something"

    class Hub(BaseHTTPRequestHandler):
        def answer(self):
            path = self.path.split("?")[0]
            if path.startswith(f"{api}/tree/"):
                self.say(json.dumps(tree).encode())
            elif path.startswith(api):
                self.say(json.dumps({"id": "somebody/something", "sha": COMMIT, "siblings": siblings}).encode())
            else:
                self.say(b"" if path == "/" else files.get(path.split("/", 5)[-1]))

        def say(self, data):
            self.send_response(404 if data is None else 200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(data or b"").hexdigest()}"')
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data or b"")

        do_GET = do_HEAD = answer  # noqa: N815 - the names that the base class calls

        def log_message(self, *_):
            pass

    yield from serving(Hub)


def test_auto_takes_weights_from_the_cache_without_asking_the_hub(cache, tmp_path):
    _, row = run(tmp_path, HF_HUB_CACHE=str(cache), HF_HUB_OFFLINE="1")
    assert row["status"] == "ok"
    assert row["weights"] == "hub"
    assert row["weights_from"] == "somebody/something"
    assert row["revision"] == COMMIT


def test_a_model_that_the_hub_does_not_know_fails_and_gets_no_random_weights(hub_that_knows_nothing, tmp_path):
    _, row = run(tmp_path, HF_ENDPOINT=hub_that_knows_nothing, HF_HUB_CACHE=str(tmp_path / "empty"))
    assert row["status"] == "failed"
    assert row["weights"] == ""


def test_without_a_hub_an_unknown_model_is_skipped(tmp_path):
    _, row = run(tmp_path, HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_CACHE=str(tmp_path / "empty"))
    assert row["status"] == "skipped"
    assert "published" in row["reason"]


def test_weights_are_fetched_before_anything_is_measured(hub_that_knows, tmp_path):
    process, row = run(tmp_path, HF_ENDPOINT=hub_that_knows, HF_HUB_CACHE=str(tmp_path / "hub"))
    assert row["status"] == "ok", process.stderr
    assert row["weights"] == "hub"
    assert row["revision"] == COMMIT
    assert process.stdout.index("Fetching from the hub: somebody/something") < process.stdout.index("[1/1] hub/a")


def test_what_was_fetched_is_all_that_a_case_loads(hub_that_knows, tmp_path):
    from diffusers import DiffusionPipeline

    request = json.dumps({"op": "fetch", "downloads": [{"name": "somebody/something"}]})
    places = {"HF_ENDPOINT": hub_that_knows, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-m", "bench.execute.worker.serve"]
    subprocess.run(command, input=request + "\n", text=True, env=environment(**places), check=True)
    where = {"cache_dir": tmp_path / "hub", "local_files_only": True, "safety_checker": None}
    assert DiffusionPipeline.from_pretrained("somebody/something", **where).unet is not None


SECRETS = {
    "HF_TOKEN": "hf_pa55w0rdpa55w0rdpa55w0rd", "GITHUB_TOKEN": "ghp_pa55w0rdpa55w0rd0000", "MY_API_KEY": "pa55w0rd-key",
    "AWS_SECRET_ACCESS_KEY": "pa55w0rd/aws", "HTTPS_PROXY": "http://user:pa55w0rd@127.0.0.1:9",
}  # fmt: skip


@pytest.mark.parametrize("cached", [True, False])
def test_no_secret_reaches_a_file_or_the_terminal(cache, tmp_path, cached):
    where = {
        "HF_ENDPOINT": "http://user:pa55w0rd@127.0.0.1:9",
        "HF_HUB_CACHE": str(cache if cached else tmp_path / "no"),
    }
    process, row = run(tmp_path, **where, **SECRETS)
    bench("report", "run", "--output", "report.html", cwd=tmp_path)
    written = [path for path in (*tmp_path.glob("run/**/*"), tmp_path / "report.html") if path.is_file()]
    assert row["status"] == ("ok" if cached else "skipped")
    assert [path for path in written if b"pa55w0rd" in path.read_bytes()] == []
    assert "pa55w0rd" not in process.stdout + process.stderr


def test_what_cannot_be_fetched_is_named_without_a_password(tmp_path):
    request = json.dumps({"op": "fetch", "downloads": [{"name": "somebody/something"}]})
    places = {"HF_ENDPOINT": "http://user:pa55w0rd@127.0.0.1:9", "HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-m", "bench.execute.worker.serve"]
    done = subprocess.run(
        command, input=request + "\n", text=True, env=environment(**places), capture_output=True, check=False
    )
    assert "somebody/something: " in done.stderr
    assert "pa55w0rd" not in done.stderr
