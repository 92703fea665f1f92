import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { type Health, HealthCheckResponse_ServingStatus } from "@gatehouse/contracts/grpc";
import { once } from "node:events";

/**
 * gRPC's health checking protocol (grpc/grpc, doc/health-checking.md), for load balancers: whether this port answers.
 * Whether everything is recorded and stored is the health of the whole gateway, which needs a right and is asked over REST.
 */
export function healthService(names: readonly string[]): ServiceImpl<typeof Health> {
  const serves = (service: string) => service === "" || names.includes(service);
  return {
    check({ service }) {
      if (!serves(service)) throw new ConnectError(`there is no service ${service}`, Code.NotFound);
      return { status: HealthCheckResponse_ServingStatus.SERVING };
    },
    async *watch({ service }, { signal }) {
      yield {
        status: serves(service)
          ? HealthCheckResponse_ServingStatus.SERVING
          : HealthCheckResponse_ServingStatus.SERVICE_UNKNOWN,
      };
      // It changes by the connection's end only.
      if (!signal.aborted) await once(signal, "abort");
    },
  };
}
