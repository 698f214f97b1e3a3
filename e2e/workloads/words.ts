/** What the kubectl of Kubernetes 1.36 says, and `knarr` with it, but not every older one that may be on PATH. */
const newer = [
  / from \S+ namespace$/gm,
  /(?<=is not valid for pod \S+) out of: .*$/gm,
  /^Warning: resource \S+ was previously managed with .*\n/gm,
  /^Flag --cpu-percent has been deprecated, .*\n/gm,
  /^All commands and output from this session will be recorded in container logs.*\n/gm,
];

/** An older one has asked the server, a newer one has looked itself. */
const askedServer = /^Error from server \(BadRequest\)(?=: container \S+ is not valid for pod)/gm;

const notFound = /(container \S+) not found in pod /g;

/** Output without the words that a newer kubectl adds: what all of them say alike. */
export const inAllVersions = (output: string): string =>
  newer
    .reduce((text, words) => text.replaceAll(words, ''), output)
    .replaceAll(askedServer, 'error')
    .replaceAll(notFound, '$1 is not valid for pod ');
