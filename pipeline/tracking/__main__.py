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
from typing import Any, NoReturn

from pipeline.common.errors import UserError
from pipeline.config import schema
from pipeline.config.command import Parser, fail
from pipeline.config.composition import compose_conf
from pipeline.config.schema import TrackingConfig
from pipeline.tracking.orphans import discard, sync
from pipeline.tracking.store import MODEL_NAME, VIEW, answering, open_store, store_uri


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The command with its options, and the options that are MLflow's."""
    summary, examples = __doc__.split("\n\n", 1)
    parser = Parser(
        "python -m pipeline.tracking", description=summary, epilog=examples, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=["ui", "serve", "sync", "discard"])
    parser.add_argument("words", nargs="*", metavar="WORD", help="Hydra overrides; the journal to discard")
    parser.add_argument("--port", type=int, default=5000, help="of ui and serve; 5000 if not given")
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on; 127.0.0.1, this machine only, if not given"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that answer; serve: 0.8 GB each, 1 if not given")
    known, others = parser.parse_known_args(arguments)
    known.words += [word for word in others if "=" in word and not word.startswith("-")]
    return known, [word for word in others if word not in known.words]


def compose_tracking(overrides: list[str]) -> TrackingConfig:
    """The store as conf/ and the overrides name it."""
    return schema.read(compose_conf(overrides), {"tracking": schema.TrackingConfig}).tracking


def start(command: str, config: TrackingConfig, options: argparse.Namespace, others: list[str]) -> NoReturn:
    """Become MLflow's own server.

    Raises:
        UserError: the port is taken, there is no champion, or the store is elsewhere or cannot be used.
    """
    if config.uri == "none":
        raise UserError("tracking.uri: none records nothing; name the store to look at")
    client, experiment = open_store(config)
    if command == "ui" and config.uri.startswith("http"):
        print(f"The runs: {runs_page(config.uri, experiment)}")
        sys.exit()
    if command == "serve":
        check_champion(client)
    with socket.socket() as probe:
        if probe.connect_ex((options.host, options.port)) == 0:
            other = f"python -m pipeline.tracking {command} --port {options.port + 1}"
            raise UserError(f"port {options.port} is in use; choose another one: {other}")
    address = ["--host", options.host, "--port", str(options.port), "--workers", str(options.workers)]
    if command == "ui":
        print(f"The runs: {runs_page(f'http://{options.host}:{options.port}', experiment)}", flush=True)
        words = ["ui", "--backend-store-uri", store_uri(config), *address]
    else:
        words = ["models", "serve", "-m", f"models:/{MODEL_NAME}@champion", "--env-manager", "local", *address]
    os.environ["MLFLOW_TRACKING_URI"] = store_uri(config)
    os.execvp(sys.executable, [sys.executable, "-m", "mlflow", *words, *others])


def runs_page(server: str, experiment: str) -> str:
    """The address of the table of runs, with the columns that matter."""
    return f"{server}/#/experiments/{experiment}/runs?viewStateShareKey={VIEW}"


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
