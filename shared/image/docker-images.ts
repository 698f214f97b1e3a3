import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ImageConfig } from './image-file.js';

/** The two calls of the Docker Engine's API that making an image needs. */
export interface DockerImages {
  /** The labels of an image; undefined when there is no such image. */
  labels(reference: string): Promise<Record<string, string> | undefined>;
  /** Makes an image of a root filesystem; resolves with its id. */
  importArchive(options: { repository: string; tag: string; config: ImageConfig; archive: Readable }): Promise<string>;
}

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Talks to the engine on its socket (`unix:///var/run/docker.sock`, or the plain path), with no API version pinned. */
export function dockerImages(dockerSocket: string): DockerImages {
  const socketPath = dockerSocket.replace(/^unix:\/\//, '');
  return {
    async labels(reference) {
      const answer = await call(socketPath, 'GET', `/images/${reference}/json`);
      if (answer.status === 404) return undefined;
      const image = JSON.parse(expectOk(answer, `look at the image ${reference}`)) as {
        Config?: { Labels?: Record<string, string> | null } | null;
      };
      return image.Config?.Labels ?? {};
    },
    async importArchive({ repository, tag, config, archive }) {
      const query = new URLSearchParams({ fromSrc: '-', repo: repository, tag });
      for (const change of changesOf(config)) query.append('changes', change);
      const task = `import the image ${repository}:${tag}`;
      const text = expectOk(await call(socketPath, 'POST', `/images/create?${query.toString()}`, archive), task);
      return importedId(text, task);
    },
  };
}

/** The configuration as the Dockerfile instructions that an import takes. */
export function changesOf(config: ImageConfig): string[] {
  const quoted = (text: string): string => `"${text.replace(/[\\"$]/g, '\\$&')}"`;
  const changes = [`ENTRYPOINT ${JSON.stringify(config.entrypoint)}`];
  if (config.command !== undefined) changes.push(`CMD ${JSON.stringify(config.command)}`);
  for (const [name, value] of Object.entries(config.environment ?? {})) changes.push(`ENV ${name}=${quoted(value)}`);
  if (config.workingDirectory !== undefined) changes.push(`WORKDIR ${config.workingDirectory}`);
  for (const port of config.exposedPorts ?? []) changes.push(`EXPOSE ${port}`);
  if (config.user !== undefined) changes.push(`USER ${config.user}`);
  for (const [name, value] of Object.entries(config.labels ?? {}))
    changes.push(`LABEL ${quoted(name)}=${quoted(value)}`);
  return changes;
}

/** The engine answers 200 first and tells how it went in JSON lines. */
function importedId(text: string, task: string): string {
  let id = '';
  for (const line of text.split('\n').filter((candidate) => candidate.trim() !== '')) {
    const message = JSON.parse(line) as { status?: string; error?: string };
    if (message.error !== undefined) throw new Error(`the Docker Engine cannot ${task}: ${message.error}`);
    if (message.status?.startsWith('sha256:') === true) id = message.status;
  }
  return id;
}

interface Answer {
  status: number;
  text: string;
}

function expectOk(answer: Answer, task: string): string {
  if (answer.status >= 200 && answer.status < 300) return answer.text;
  let reason = answer.text.trim();
  try {
    reason = (JSON.parse(answer.text) as { message?: string }).message ?? reason;
  } catch {
    // Not JSON: the text itself is the reason.
  }
  throw new Error(`the Docker Engine cannot ${task}: ${reason} (status ${answer.status})`);
}

async function call(socketPath: string, method: string, path: string, body?: Readable): Promise<Answer> {
  const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/x-tar' };
  const outgoing = request({ socketPath, method, path, headers: { host: 'docker', ...headers } });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  try {
    if (body === undefined) outgoing.end();
    const [response] = await Promise.all([answered, body === undefined ? undefined : pipeline(body, outgoing)]);
    return { status: response.statusCode ?? 0, text: await readText(response) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!['ENOENT', 'ECONNREFUSED', 'EACCES'].includes(code)) throw error;
    const remedy = code === 'EACCES' ? 'run this as root' : 'start it with "systemctl start docker" or "dockerd"';
    throw new Error(`the Docker Engine does not answer on ${socketPath} (${code}): ${remedy}`, { cause: error });
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_ANSWER_BYTES) throw new Error('the Docker Engine answers with more than 4 MB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
