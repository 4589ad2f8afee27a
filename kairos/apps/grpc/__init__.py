"""`kairos.v1.Events` over gRPC. `events_pb2` is generated from `events.proto`, which says how."""
