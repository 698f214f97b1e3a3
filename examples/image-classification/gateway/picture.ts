import sharp from 'sharp';
import type { Metadata } from 'sharp';
import { pictureFormat } from './picture-format.js';
import { RequestError } from './request-error.js';

export interface PictureLimits {
  /** Pixels of a picture that is decoded line by line. */
  maxPixels: number;
  /** Pixels of a picture that a decoder must hold as a whole (progressive, interlaced, and most newer formats). */
  maxBufferedPixels: number;
}

/** From this many times the wanted size on, a JPEG is shrunk while decoding: much faster, and nothing to be seen of it. */
const SHRINK_ON_LOAD_FACTOR = 8;
const DECODE_TIMEOUT_SECONDS = 10;

/**
 * Decodes a picture and resizes the whole of it to width x height: turned as the camera was held, on white where it is
 * transparent, bilinear with antialiasing. Values are scaled as both models want them: x / 127.5 - 1, RGB.
 */
export async function pictureTensor(
  bytes: Buffer,
  size: { width: number; height: number },
  limits: PictureLimits,
): Promise<Float32Array> {
  const format = pictureFormat(bytes);
  if (format === undefined) {
    throw new RequestError(
      415,
      'That is not a picture the gateway can read; send a JPEG, PNG, WebP, GIF or AVIF file.',
    );
  }
  try {
    const options = { limitInputPixels: limits.maxPixels, failOn: 'error', sequentialRead: true } as const;
    const metadata = await sharp(bytes, { ...options, limitInputPixels: false }).metadata();
    checkPixels(metadata, limits);
    const factor = Math.min(metadata.width / size.width, metadata.height / size.height);
    const { data, info } = await sharp(bytes, options)
      .autoOrient()
      .resize(size.width, size.height, {
        fit: 'fill',
        kernel: 'linear',
        fastShrinkOnLoad: factor >= SHRINK_ON_LOAD_FACTOR,
      })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .timeout({ seconds: DECODE_TIMEOUT_SECONDS })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`the decoder gave ${info.channels} channels`);
    return Float32Array.from(data, (value) => value / 127.5 - 1);
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError(422, 'The picture cannot be decoded: the file is damaged or incomplete.');
  }
}

function checkPixels(metadata: Metadata, limits: PictureLimits): void {
  const pixels = metadata.width * metadata.height;
  const isBuffered = !(metadata.format === 'jpeg' || metadata.format === 'png') || metadata.isProgressive === true;
  const limit = isBuffered ? Math.min(limits.maxBufferedPixels, limits.maxPixels) : limits.maxPixels;
  if (pixels <= limit) return;
  const most = Math.floor(limit / 1e6);
  throw new RequestError(
    413,
    `The picture has ${metadata.width} x ${metadata.height} pixels; at most ${most} million are decoded${isBuffered ? ' of such a file' : ''}.`,
  );
}
