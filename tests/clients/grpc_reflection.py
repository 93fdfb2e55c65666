#!/usr/bin/env python3
"""A stock gRPC client: knows nothing of Symphony but the address, and learns the rest by reflection.

Needs the packages grpcio and grpcio-reflection. Usage:

    grpc_reflection.py unix:PATH              # role operator
    grpc_reflection.py HOST:PORT TOKEN_FILE   # role of the token

It lists the services, checks that all of the admin API are there and that every method has a descriptor, asks
grpc.health.v1, asks the size of its log through Log.Status, and prints one JSON object with what Node.Info says.
Exit codes: 0 all well, 1 something is missing or a call fails, 2 wrong usage.
"""

import json
import pathlib
import sys

# This file has the name of the package that it uses: its own folder must not be searched for it.
sys.path[:] = [folder for folder in sys.path if pathlib.Path(folder).resolve() != pathlib.Path(__file__).resolve().parent]

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

PACKAGE = "symphony.admin.v1"
SERVICES = {f"{PACKAGE}.{name}" for name in ("Tasks", "Peers", "Log", "Policy", "Audit", "Node")}
HEALTH = "grpc.health.v1.Health"
TIMEOUT_S = 10


def call(channel, pool, service, method, **fields):
    """Calls a unary method of which only the name is known."""
    descriptor = pool.FindServiceByName(service).methods_by_name[method]
    request_class = message_factory.GetMessageClass(descriptor.input_type)
    response_class = message_factory.GetMessageClass(descriptor.output_type)
    stub = channel.unary_unary(
        f"/{service}/{method}",
        request_serializer=request_class.SerializeToString,
        response_deserializer=response_class.FromString,
    )
    return stub(request_class(**fields), timeout=TIMEOUT_S)


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    metadata = []
    if len(arguments) == 2:
        token = pathlib.Path(arguments[1]).read_text(encoding="ascii").strip()
        metadata.append(("authorization", f"Bearer {token}"))
    # Over a Unix socket grpcio would send the socket's path as authority, which is no host name.
    options = [("grpc.default_authority", "localhost")]
    with grpc.insecure_channel(arguments[0], options=options) as plain:
        channel = grpc.intercept_channel(plain, Metadata(metadata)) if metadata else plain
        database = ProtoReflectionDescriptorDatabase(channel)
        services = set(database.get_services())
        missing = (SERVICES | {HEALTH}) - services
        if missing:
            print(f"missing services: {', '.join(sorted(missing))}", file=sys.stderr)
            return 1
        pool = descriptor_pool.DescriptorPool(database)
        methods = {
            name: [method.name for method in pool.FindServiceByName(name).methods] for name in sorted(SERVICES)
        }
        health = call(channel, pool, HEALTH, "Check")
        status = call(channel, pool, f"{PACKAGE}.Log", "Status")
        info = call(channel, pool, f"{PACKAGE}.Node", "Info")
        print(json.dumps({
            "services": sorted(services),
            "methods": methods,
            "health": json_format.MessageToDict(health).get("status", "UNKNOWN"),
            "log_size": status.size,
            "node": json_format.MessageToDict(info, preserving_proto_field_name=True),
        }))
    return 0


class Metadata(grpc.UnaryUnaryClientInterceptor, grpc.StreamStreamClientInterceptor):
    """Adds the token to every call, reflection included."""

    def __init__(self, metadata):
        self._metadata = metadata

    def _with_token(self, details):
        metadata = list(details.metadata or []) + self._metadata
        return details._replace(metadata=metadata)

    def intercept_unary_unary(self, continuation, client_call_details, request):
        return continuation(self._with_token(client_call_details), request)

    def intercept_stream_stream(self, continuation, client_call_details, request_iterator):
        return continuation(self._with_token(client_call_details), request_iterator)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except grpc.RpcError as error:
        print(f"{error.code().name}: {error.details()}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
