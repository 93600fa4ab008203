// One stream for all tabs of one browser: HTTP/1.1 allows six connections, and the seventh tab must still load.
import { Stream } from "./live-stream.js";

const ports = new Set();
let stream = null;
let owner = null;

const tell = (message) => ports.forEach((port) => port.postMessage(message));

function join(port, staff) {
  ports.add(port);
  if (stream && owner === staff) {
    port.postMessage({ type: "link", up: stream.up, good: stream.good });
    return port.postMessage(stream.state("joined", {}));
  }
  stream?.pops.clear(); // another person has signed in: nothing of the last one stays
  owner = staff;
  stream ??= new Stream("/live", tell);
  stream.open();
}

const ACTS = {
  join: (port, message) => join(port, message.staff),
  leave: (port) => ports.delete(port),
  drop: (_port, message) => stream?.drop(message.id),
};

self.onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => ACTS[data.act]?.(port, data);
};
