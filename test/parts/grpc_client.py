"""gRPC's own client in Python, with code that protoc made from the .proto files. Reads one call a line from standard input,
as JSON, and writes a line for each message of the answer, then one with the status. Nothing here knows Gatehouse's code.

    {"id": 1, "service": "gatehouse.v1.SessionService", "method": "GetSession", "request": {...},
     "token": "...", "seconds": 30}
    {"cancel": 1}
"""

import importlib
import json
import sys
import threading

import grpc
from google.protobuf import json_format

generated, address, certificate_file = sys.argv[1:4]
sys.path.insert(0, generated)
files = {
    "gatehouse.v1.SessionService": "gatehouse.v1.session",
    "gatehouse.v1.RecordingService": "gatehouse.v1.recording",
    "gatehouse.v1.AuditService": "gatehouse.v1.audit",
    "grpc.health.v1.Health": "health.v1.health",
    "grpc.reflection.v1.ServerReflection": "reflection.v1.reflection",
}
with open(certificate_file, "rb") as file:
    channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()))
problem = importlib.import_module("gatehouse.v1.problem_pb2")

lock = threading.Lock()
open_calls = {}


def say(line):
    with lock:
        print(json.dumps(line), flush=True)


def to_json(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def run(call):
    module = files[call["service"]]
    messages = importlib.import_module(module + "_pb2")
    stub = getattr(
        importlib.import_module(module + "_pb2_grpc"), call["service"].rsplit(".", 1)[1] + "Stub"
    )(channel)
    method = messages.DESCRIPTOR.services_by_name[call["service"].rsplit(".", 1)[1]].methods_by_name[
        call["method"]
    ]
    request = json_format.ParseDict(call["request"], getattr(messages, method.input_type.name)())
    metadata = [("authorization", "Bearer " + call["token"])] if "token" in call else []
    how = {"metadata": metadata, "timeout": call.get("seconds", 60)}
    invoke = getattr(stub, call["method"])
    try:
        if isinstance(invoke, grpc.UnaryUnaryMultiCallable):
            say({"id": call["id"], "message": to_json(invoke(request, **how))})
        else:
            asked = request if isinstance(invoke, grpc.UnaryStreamMultiCallable) else iter([request])
            answers = invoke(asked, **how)
            open_calls[call["id"]] = answers
            for answer in answers:
                say({"id": call["id"], "message": to_json(answer)})
        say({"id": call["id"], "status": "OK"})
    except grpc.RpcError as error:
        found = {}
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                status = importlib.import_module("status_pb2").Status.FromString(value)
                for detail in status.details:
                    told = problem.Problem()
                    if detail.Unpack(told):
                        found = to_json(told)
        say(
            {"id": call["id"], "status": error.code().name, "detail": error.details(), "problem": found}
        )


for line in sys.stdin:
    call = json.loads(line)
    if "cancel" in call:
        open_calls[call["cancel"]].cancel()
    else:
        threading.Thread(target=run, args=(call,), daemon=True).start()
