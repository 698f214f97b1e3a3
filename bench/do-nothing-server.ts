// A TLS server that answers each GET with the same bytes and each POST with an empty object: the most that Node can do here.
// Started by calibration.ts as a child process, with the certificate in its environment.
import { createServer } from 'node:https';

const pod = Buffer.alloc(3200, 'x');
const server = createServer({ cert: process.env['BENCH_CERT'], key: process.env['BENCH_KEY'] }, (request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': pod.length }).end(pod);
    return;
  }
  let bytes = 0;
  request.on('data', (data: Buffer) => (bytes += data.length));
  request.on('end', () => {
    response.writeHead(201, { 'content-type': 'application/json', 'content-length': 2 }).end(bytes > 0 ? '{}' : '[]');
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : undefined);
});
process.on('disconnect', () => process.exit(0));
