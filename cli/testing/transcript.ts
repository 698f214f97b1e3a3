/** One command line of a transcript, with what it must print. */
export interface Step {
  /** As it is given to bash; here-documents and continued lines included. */
  readonly command: string;
  /** Standard output and standard error as they come, then `[exit N]` unless N is 0. */
  readonly output: string;
  /** Why only kubectl runs it; undefined where both do. */
  readonly onlyKubectl: string | undefined;
  /** Lines of remarks that stand above it. */
  readonly remarks: readonly string[];
}

const onlyMark = '## only kubectl: ';

/**
 * Reads a transcript: `$ ` begins a command, what follows it is its output, and `## ` begins a remark. An empty line in front of a
 * command or remark is not part of the output.
 */
export function parseTranscript(text: string): Step[] {
  const steps: Step[] = [];
  let remarks: string[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? '';
    if (line.startsWith('$ ')) {
      const end = commandEnd(lines, at);
      const outputEnd = nextMark(lines, end);
      const only = remarks.find((remark) => remark.startsWith(onlyMark))?.slice(onlyMark.length);
      steps.push({
        command: [line.slice(2), ...lines.slice(at + 1, end)].join('\n'),
        output: lines.slice(end, outputEnd).join('\n').trimEnd(),
        onlyKubectl: only,
        remarks,
      });
      remarks = [];
      at = outputEnd;
      continue;
    }
    if (line.startsWith('## ')) remarks.push(line);
    else if (line !== '') throw new Error(`line ${at + 1} of the transcript belongs to no command: ${line}`);
    at++;
  }
  return steps;
}

export function formatTranscript(steps: readonly Step[]): string {
  const texts = steps.map(({ remarks, command, output }) =>
    [...remarks, `$ ${command}`, ...(output === '' ? [] : [output])].join('\n'),
  );
  return `${texts.join('\n\n')}\n`;
}

/** Index behind a command's last line: here-documents and lines that end in a backslash go on. */
function commandEnd(lines: readonly string[], start: number): number {
  let at = start;
  while (lines[at]?.endsWith('\\')) at++;
  const [, word] = /<<-?\s*'?(\w+)'?/.exec(lines.slice(start, at + 1).join('\n')) ?? [];
  if (word === undefined) return at + 1;
  const close = lines.indexOf(word, at + 1);
  if (close < 0) throw new Error(`the here-document of line ${start + 1} has no end ${word}`);
  return close + 1;
}

function nextMark(lines: readonly string[], from: number): number {
  const found = lines.findIndex((line, at) => at >= from && (line.startsWith('$ ') || line.startsWith('## ')));
  return found < 0 ? lines.length : found;
}

const shownTime = '2026-01-01T00:00:00Z';

/** What differs from run to run, each with what stands for it. */
const volatile: readonly (readonly [RegExp, string])[] = [
  // Clients below 1.34 wrote it into what they make; later ones, as knarr, do not.
  [/^( *)metadata:\n\1  creationTimestamp: null\n(?!\1  )/gm, '$1metadata: {}\n'],
  [/^ *creationTimestamp: null\n/gm, ''],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '00000000-0000-0000-0000-000000000000'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, shownTime],
  [/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, 'Thu, 01 Jan 2026 00:00:00 +0000'],
  [/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC/g, '2026-01-01 00:00:00 +0000 UTC'],
  [/("?resourceVersion"?: )"[1-9]\d*"/g, '$1"1"'],
  [/(Resource Version: +)\d+/g, '$11'],
  [/127\.0\.0\.1:\d+/g, '127.0.0.1:6443'],
  [/X509SHA256=[0-9a-f]+/g, 'X509SHA256=0'],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<token>'],
  [/\/tmp\/(?:knarr|kubectl)-transcript-\w+/g, '/tmp/home'],
  [/\bkubectl\.1\.\d+(?= (?:apply|replace)\b)/g, 'kubectl'],
  [/\/tmp\/\S+-edit-\d+/g, '/tmp/kubectl-edit-1'],
  [/(debugger-(?:node-1-)?)[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '$1xxxxx'],
];

/** An age of less than ten minutes keeps the width that it and the blanks behind it have. */
function stillAge(text: string): string {
  return text.replaceAll(/(?<![\w.=/-])(?:\d{1,2}s|\dm(?:\d{1,2}s)?)(?![\w])( *)/g, (found, blanks: string) =>
    blanks === '' ? '5s' : '5s'.padEnd(found.length),
  );
}

/** The text of a run with all that differs from run to run replaced, column widths kept. */
export function normalised(text: string): string {
  return volatile.reduce((still, [pattern, by]) => still.replaceAll(pattern, by), stillAge(text)).trimEnd();
}
