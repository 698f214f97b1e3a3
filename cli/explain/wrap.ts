/**
 * Breaks a description into lines as kubectl does: paragraphs are joined and filled to `width`; lists, indented lines and lines that end
 * a thought keep their breaks.
 */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let current: string[] = [];
  const flush = (): void => {
    if (current.length > 0) lines.push(...filled(current.join(' '), width));
    current = [];
  };
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '') {
      flush();
      if (lines.length > 0) lines.push('');
      continue;
    }
    if (keepsItsBreak(line)) {
      flush();
      lines.push(...filled(trimmed, width));
      continue;
    }
    current.push(trimmed);
    if (endsParagraph(trimmed)) flush();
  }
  flush();
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Items of lists and numbered lines stand on their own. */
const keepsItsBreak = (line: string): boolean => /^\s*([-*]|\d+\.)/.test(line) || /^\s{2,}\S/.test(line);
const endsParagraph = (line: string): boolean => line.endsWith(':');

function filled(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line === '') line = word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}
