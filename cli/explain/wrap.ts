/** Breaks the lines of a description that are longer than `width` where a word begins; blanks within a line stay as they are. */
export function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrappedLine(line, width));
}

function wrappedLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const [, blanks = '', word = ''] of line.matchAll(/(\s*)(\S*)/g)) {
    const before = current.length + blanks.length;
    // A word that is longer than a line begins one of its own.
    if (word !== '' && before > 1 && before + word.length > width) {
      lines.push(current);
      current = word;
    } else if (before + word.length <= width || word !== '') current += blanks + word;
  }
  return [...lines, current];
}
