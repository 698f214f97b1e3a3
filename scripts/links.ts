// Every relative link of the documentation leads to a file that is there. Exits 1 on a broken one.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const tracked = (pattern: string): string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', pattern], { encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '' && existsSync(file));

const broken: string[] = [];
for (const file of tracked('*.md')) {
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
    const path = target.replace(/#.*$/, '');
    if (path === '' || /^[a-z]+:/.test(path)) continue;
    if (!existsSync(join(dirname(file), path))) broken.push(`${file}: ${target} is not there`);
  }
}
if (broken.length > 0) {
  process.stderr.write(`${broken.join('\n')}\n`);
  process.exit(1);
}
process.stdout.write('links: all lead to a file\n');
