import type { WebSocket } from 'ws';

import { ChannelSocket, type ChannelEncoding } from './channel-socket.js';
import type { RemoteCommand } from './remote-command.js';
import { encodeStatus, type StreamStatus } from './stream-status.js';

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 };

interface Variant extends ChannelEncoding {
  readonly hasJsonStatus: boolean;
}

/** The subprotocols by name; a client that names none speaks the first version. */
export const webSocketProtocols: Readonly<Record<string, Variant>> = {
  'v5.channel.k8s.io': { isBase64: false, hasCloseSignal: true, hasJsonStatus: true },
  'v4.channel.k8s.io': { isBase64: false, hasCloseSignal: false, hasJsonStatus: true },
  'v4.base64.channel.k8s.io': { isBase64: true, hasCloseSignal: false, hasJsonStatus: true },
  'channel.k8s.io': { isBase64: false, hasCloseSignal: false, hasJsonStatus: false },
  'base64.channel.k8s.io': { isBase64: true, hasCloseSignal: false, hasJsonStatus: false },
  '': { isBase64: false, hasCloseSignal: false, hasJsonStatus: false },
};

/** Serves exec or attach over a WebSocket. */
export async function serveRemoteCommandWebSocket(
  socket: WebSocket,
  command: RemoteCommand,
  protocol: string,
): Promise<void> {
  const variant = webSocketProtocols[protocol] ?? webSocketProtocols[''];
  if (!variant) return;
  const { stdin, stdout, stderr, tty } = command.options;
  const connection = new ChannelSocket(socket, variant);
  // An empty message on the lowest channel that we write tells the client that the connection stands.
  connection.send(stdout ? channels.stdout : stderr ? channels.stderr : channels.error, Buffer.alloc(0));
  const finish = (status: StreamStatus): void => {
    const text = encodeStatus(status, variant.hasJsonStatus);
    if (text.length > 0) connection.send(channels.error, text, () => connection.close());
    else connection.close();
  };
  const status = await command.run({
    ...(stdin ? { stdin: connection.input(channels.stdin) } : {}),
    ...(stdout ? { stdout: connection.output(channels.stdout) } : {}),
    ...(stderr ? { stderr: connection.output(channels.stderr) } : {}),
    ...(tty ? { resize: connection.input(channels.resize) } : {}),
    gone: connection.gone,
  });
  if (!connection.gone.aborted) finish(status);
}
