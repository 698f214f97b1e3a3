import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The newest of the kubectl.1.N beside the kubectl on PATH, where it is one that picks among them; else that one. */
export function stockKubectl(): string {
  const folders = (process.env['PATH'] ?? '').split(':');
  const onPath = folders.map((each) => join(each, 'kubectl')).find((path) => existsSync(path));
  if (onPath === undefined) throw new Error('there is no kubectl on PATH');
  const beside = dirname(realpathSync(onPath));
  const minor = (name: string): number => Number(/^kubectl\.1\.(\d+)$/.exec(name)?.[1] ?? -1);
  const [newest] = readdirSync(beside)
    .filter((name) => minor(name) >= 0)
    .sort((a, b) => minor(b) - minor(a));
  return newest === undefined ? onPath : join(beside, newest);
}
