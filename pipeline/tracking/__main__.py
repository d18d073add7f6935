"""Command line of the store: show the runs, serve the champion, upload or discard the journals that wait.

    python -m pipeline.tracking ui                  # look at the runs: the MLflow UI
    python -m pipeline.tracking serve --workers 2   # answer images with text over HTTP, with the champion
    python -m pipeline.tracking sync                # upload the runs kept while the store could not be reached
    python -m pipeline.tracking discard JOURNAL     # drop what the store refuses, as `sync` names it

Other words with `=` are Hydra overrides, such as tracking=server; other options go to `mlflow ui` and `mlflow models serve`.
"""

import argparse
import os
import socket
import sys
import tempfile
from typing import Any, NoReturn

from pipeline.common import paths
from pipeline.common.errors import UserError
from pipeline.config import schema
from pipeline.config.command import Parser, fail
from pipeline.config.composition import compose_conf
from pipeline.config.schema import TrackingConfig
from pipeline.tracking.orphans import discard, sync
from pipeline.tracking.store import MODEL_NAME, answering, open_store, store_uri
from pipeline.tracking.views import runs_page, sweep_page


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The command with its options, and the options that are MLflow's."""
    summary, examples = __doc__.split("\n\n", 1)
    parser = Parser(
        "python -m pipeline.tracking", description=summary, epilog=examples, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=["ui", "serve", "sync", "discard"])
    parser.add_argument("words", nargs="*", metavar="WORD", help="Hydra overrides; the journal to discard")
    parser.add_argument("--port", type=port, default=5000, help="of ui and serve; 5000 if not given")
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on; 127.0.0.1, this machine only, if not given"
    )
    parser.add_argument("--workers", type=count, default=1, help="processes that answer; serve: 0.8 GB each, 1 if not given")
    known, others = parser.parse_known_args(arguments)
    known.words += [word for word in others if "=" in word and not word.startswith("-")]
    return known, [word for word in others if word not in known.words]


def port(text: str) -> int:
    """A port that a server can listen on."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} must be a whole number from 1 to 65535")
    return int(text)


def count(text: str) -> int:
    """A number of processes."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} must be a whole number, 1 or more")
    return int(text)


def compose_tracking(overrides: list[str]) -> TrackingConfig:
    """The store as conf/ and the overrides name it."""
    sections = {"tracking": schema.TrackingConfig}
    return schema.read(compose_conf(overrides, "tracking", sections), sections).tracking


def start(command: str, config: TrackingConfig, options: argparse.Namespace, others: list[str]) -> NoReturn:
    """Become MLflow's own server.

    Raises:
        UserError: the port is taken, there is no champion, or the store is elsewhere or cannot be used.
    """
    if config.uri == "none":
        raise UserError("tracking.uri: none records nothing; name the store to look at")
    client, experiment = open_store(config)
    if command == "ui" and config.uri.startswith("http"):
        tell_pages(client, experiment, config.uri.rstrip("/"))
        sys.exit()
    if command == "serve":
        check_champion(client)
    with socket.socket() as probe:
        if probe.connect_ex((options.host, options.port)) == 0:
            other = f"python -m pipeline.tracking {command} --port {options.port + 1}"
            raise UserError(f"port {options.port} is in use; choose another one: {other}")
    address = ["--host", options.host, "--port", str(options.port), "--workers", str(options.workers)]
    if command == "ui":
        tell_pages(client, experiment, f"http://{options.host}:{options.port}")
        words = ["ui", "--backend-store-uri", store_uri(config), *address]
    else:
        words = ["models", "serve", "-m", servable(f"models:/{MODEL_NAME}@champion"), "--env-manager", "local", *address]
    os.environ["MLFLOW_TRACKING_URI"] = store_uri(config)
    os.execvp(sys.executable, [sys.executable, "-m", "mlflow", *words, *others])


def tell_pages(client: Any, experiment: str, server: str) -> None:
    """Print where the table of runs is, and the page that compares those of the newest sweep."""
    print(f"The runs: {server}/{runs_page(experiment)}", flush=True)
    for parent in client.search_runs([experiment], "tags.stage = 'sweep'", max_results=1):
        print(f"The newest sweep: {server}/{sweep_page(experiment, parent.data.tags['sweep_id'])}", flush=True)


def servable(model: str) -> str:
    """The model's address; in a folder with `%` in its name, which MLflow's server unquotes twice, the address of a copy."""
    if "%" not in str(paths.STORE_ROOT):
        return model
    from mlflow import artifacts

    return artifacts.download_artifacts(model, dst_path=tempfile.mkdtemp(prefix="handprint-"))


def check_champion(client: Any) -> None:
    """Raise UserError if there is no champion."""
    models = client.search_registered_models(f"name = '{MODEL_NAME}'")
    if not models or "champion" not in models[0].aliases:
        raise UserError("there is no champion to serve yet; make one: python -m pipeline.promote")


def main() -> None:
    options, others = parse(sys.argv[1:])
    try:
        if options.command == "sync":
            sys.exit(1 if sync() else 0)
        if options.command == "discard":
            if len(options.words) != 1:
                raise UserError("name one journal to discard, as `python -m pipeline.tracking sync` prints it")
            discard(options.words[0])
            return
        config = compose_tracking(options.words)
        with answering(config):
            start(options.command, config, options, others)
    except UserError as error:
        fail("tracking", error)


if __name__ == "__main__":
    main()
