/** The formats that the gateway decodes. SVG and PDF are left out on purpose: they are programs, not pixels. */
export type PictureFormat = 'jpeg' | 'png' | 'gif' | 'webp' | 'avif';

/** The format by the first bytes of a file; undefined for anything else, which then never reaches a decoder. */
export function pictureFormat(bytes: Buffer): PictureFormat | undefined {
  const text = (start: number, end: number): string => bytes.toString('latin1', start, end);
  if (text(0, 3) === '\xff\xd8\xff') return 'jpeg';
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (text(0, 6) === 'GIF87a' || text(0, 6) === 'GIF89a') return 'gif';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'webp';
  if (text(4, 8) === 'ftyp' && /^(avif|avis|mif1)$/.test(text(8, 12))) return 'avif';
  return undefined;
}
