import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';

/** Answers one message, at once or later; undefined: no answer. Never throws, never rejects. */
export type AnswerMessage = (bytes: Buffer, isUdp: boolean) => Buffer | undefined | Promise<Buffer | undefined>;

const tcpConnections = 1_000;
const tcpIdleMs = 10_000;
/** Questions of one connection, or of all UDP clients, that are being answered. */
const pendingPerConnection = 100;
const pendingUdp = 5_000;
/** Answers that a client does not read; above it no more of its questions are read. */
const unreadBytes = 256 * 1024;

/** Serves questions over UDP. Above the bound they are dropped, and clients ask again. */
export class UdpServer {
  readonly #socket: UdpSocket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  #pending = 0;
  #isClosed = false;

  constructor(answer: AnswerMessage) {
    this.#socket.on('message', (bytes, from) => {
      if (this.#pending >= pendingUdp) return;
      // A client that is gone cannot be told; port 0 is nobody's.
      const send = (message: Buffer | undefined): void => {
        if (message && from.port > 0 && !this.#isClosed)
          this.#socket.send(message, from.port, from.address, () => undefined);
      };
      const answered = answer(bytes, true);
      if (!(answered instanceof Promise)) return send(answered);
      this.#pending++;
      void answered.then((message) => {
        this.#pending--;
        send(message);
      });
    });
  }

  start(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind(port, host, () => {
        this.#socket.off('error', reject);
        this.#socket.on('error', () => undefined);
        resolve(this.#socket.address().port);
      });
    });
  }

  stop(): Promise<void> {
    this.#isClosed = true;
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}

/** Serves questions over TCP, several on one connection (RFC 7766). */
export class TcpServer {
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  constructor(answer: AnswerMessage) {
    this.#server = createServer((socket) => this.#serve(socket, answer));
    this.#server.maxConnections = tcpConnections;
  }

  start(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        const address = this.#server.address();
        resolve(typeof address === 'object' && address ? address.port : port);
      });
    });
  }

  stop(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket, answer: AnswerMessage): void {
    this.#connections.add(socket);
    let received: Buffer = Buffer.alloc(0);
    let pending = 0;
    const isBusy = (): boolean => pending >= pendingPerConnection || socket.writableLength > unreadBytes;
    const send = (reply: Buffer | undefined): void => {
      if (!reply || socket.destroyed) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([length, reply]));
    };
    const serve = (): void => {
      while (!isBusy() && received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const answered = answer(received.subarray(2, end), false);
        received = received.subarray(end);
        if (!(answered instanceof Promise)) {
          send(answered);
          continue;
        }
        pending++;
        void answered.then((reply) => {
          pending--;
          send(reply);
          serve();
        });
      }
      if (isBusy()) socket.pause();
      else if (socket.isPaused()) socket.resume();
    };
    socket.setTimeout(tcpIdleMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#connections.delete(socket));
    socket.on('drain', serve);
    socket.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      serve();
    });
  }
}
