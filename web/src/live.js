// The page's end of the stream: through the SharedWorker, or alone where the browser has none.
import { Stream } from "./live-stream.js";

export function listen({ worker, staff }, heard) {
  return typeof SharedWorker === "function" && worker ? shared(worker, staff, heard) : alone(heard);
}

function shared(url, staff, heard) {
  const { port } = new SharedWorker(url, { name: "ringdesk-live" });
  const join = () => port.postMessage({ act: "join", staff });
  port.onmessage = ({ data }) => heard(data);
  addEventListener("pagehide", () => port.postMessage({ act: "leave" }));
  addEventListener("pageshow", ({ persisted }) => persisted && join());
  join();
  return { drop: (id) => port.postMessage({ act: "drop", id }) };
}

function alone(heard) {
  const stream = new Stream("/live", heard);
  addEventListener("pagehide", () => stream.source?.close());
  addEventListener("pageshow", ({ persisted }) => persisted && stream.open());
  stream.open();
  return stream;
}
