import { type DescFile, createRegistry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import type { ServerReflection, ServerReflectionRequest } from "@gatehouse/contracts/grpc";

/** gRPC's server reflection (grpc/grpc, doc/server-reflection.md): what grpcurl and the like learn the API from. */
export function reflectionService(files: readonly DescFile[]): ServiceImpl<typeof ServerReflection> {
  const all = withDependencies(files);
  const registry = createRegistry(...all.values());
  const services = files.flatMap((file) => file.services.map(({ typeName }) => ({ name: typeName })));

  /** A method's or field's symbol stands for what it is part of. */
  function fileOfSymbol(symbol: string): DescFile | undefined {
    const desc = registry.get(symbol) ?? registry.get(symbol.slice(0, symbol.lastIndexOf(".")));
    return desc?.kind === "extension" ? undefined : desc?.file;
  }
  function answer({ messageRequest }: ServerReflectionRequest) {
    switch (messageRequest.case) {
      case "listServices":
        return { case: "listServicesResponse", value: { service: services } } as const;
      case "fileByFilename":
        return fileAnswer(all.get(messageRequest.value), messageRequest.value);
      case "fileContainingSymbol":
        return fileAnswer(fileOfSymbol(messageRequest.value), messageRequest.value);
      case "fileContainingExtension":
      case "allExtensionNumbersOfType":
        return notFound("there are no extensions");
      case undefined:
        return notFound("the request asks for nothing");
    }
  }
  return {
    async *serverReflectionInfo(requests) {
      for await (const request of requests)
        yield { validHost: request.host, originalRequest: request, messageResponse: answer(request) };
    },
  };
}

/** The file and all that it is made of, so that one question is enough. */
function fileAnswer(file: DescFile | undefined, asked: string) {
  if (!file) return notFound(`there is no ${asked}`);
  const fileDescriptorProto = [...withDependencies([file]).values()].map(({ proto }) =>
    toBinary(FileDescriptorProtoSchema, proto),
  );
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } } as const;
}

function notFound(errorMessage: string) {
  return { case: "errorResponse", value: { errorCode: Code.NotFound as number, errorMessage } } as const;
}

/** By the name that other files import it by, which ends in `.proto`. The first are those that were given. */
function withDependencies(files: readonly DescFile[]): Map<string, DescFile> {
  const found = new Map<string, DescFile>();
  const visit = (file: DescFile) => {
    if (found.has(file.proto.name)) return;
    found.set(file.proto.name, file);
    file.dependencies.forEach(visit);
  };
  files.forEach(visit);
  return found;
}
