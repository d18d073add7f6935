"""`python -m pipeline.tracking sync`, and MLflow's own commands with the project's store: `ui`, `serve`."""

import os
import socket
import sys

from pipeline.config.schema import TrackingConfig
from pipeline.tracking.orphans import sync
from pipeline.tracking.store import MODEL_NAME, VIEW, open_store, store_uri

USAGE = """usage: python -m pipeline.tracking sync                # upload runs kept while the store could not be reached
       python -m pipeline.tracking ui [--port 5000]    # look at the runs
       python -m pipeline.tracking serve [--port 5000] # answer images with text, with the champion"""


def main() -> None:
    store = store_uri(TrackingConfig("local", ""))
    commands = {
        "ui": ["ui", "--backend-store-uri", store, "--host", "127.0.0.1", "--workers", "1"],
        "serve": ["models", "serve", "-m", f"models:/{MODEL_NAME}@champion", "--env-manager", "local", "--host", "127.0.0.1"],
    }
    command, *rest = sys.argv[1:] or [""]
    if command == "sync":
        sys.exit(1 if sync() else 0)
    if command not in commands:
        sys.exit(USAGE)
    port = int(rest[rest.index("--port") + 1]) if "--port" in rest[:-1] else 5000
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            sys.exit(
                f"tracking: port {port} is in use; choose another one: python -m pipeline.tracking {command} --port {port + 1}"
            )
    if command == "ui":
        experiment = open_store(TrackingConfig("local", "handprint"))[1]
        print(f"The runs: http://127.0.0.1:{port}/#/experiments/{experiment}/runs?viewStateShareKey={VIEW}", flush=True)
    os.environ.setdefault("MLFLOW_TRACKING_URI", store)
    os.execvp(sys.executable, [sys.executable, "-m", "mlflow", *commands[command], *rest])


if __name__ == "__main__":
    main()
