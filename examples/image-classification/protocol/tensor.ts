import type { TensorProto, TensorShape } from './protocol.js';

/** A dense float tensor: `data` holds the elements in row-major order. */
export interface FloatTensor {
  shape: number[];
  data: Float32Array;
}

const BYTES_PER_FLOAT = 4;

/** The dimensions of a shape on the wire; undefined when its rank is not known. */
export function shapeOf(shape: TensorShape | null): number[] | undefined {
  if (shape === null || shape.unknown_rank === true) return undefined;
  return shape.dim.map((dim) => dim.size);
}

export function shapeProto(shape: readonly number[]): TensorShape {
  return { dim: shape.map((size) => ({ size })) };
}

/** Whether a concrete shape fits a signature's shape, where -1 fits any size. */
export function shapeFits(shape: readonly number[], expected: readonly number[]): boolean {
  return (
    shape.length === expected.length && shape.every((size, axis) => expected[axis] === -1 || expected[axis] === size)
  );
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** As TensorFlow's clients send pictures: elements in tensor_content. */
export function encodeContentTensor(tensor: FloatTensor): TensorProto {
  const { buffer, byteOffset, byteLength } = tensor.data;
  return {
    dtype: 'DT_FLOAT',
    tensor_shape: shapeProto(tensor.shape),
    tensor_content: Buffer.from(buffer, byteOffset, byteLength),
  };
}

/** As TensorFlow Serving answers: elements in float_val, which is where its clients look for scores. */
export function encodeListTensor(tensor: FloatTensor): TensorProto {
  return { dtype: 'DT_FLOAT', tensor_shape: shapeProto(tensor.shape), float_val: Array.from(tensor.data) };
}

/**
 * The elements of a float tensor whose shape is already accepted; undefined when they do not fill it.
 *
 * The caller checks the shape first: a few bytes may claim any number of elements, and this allocates that many.
 */
export function decodeFloats(tensor: TensorProto, shape: readonly number[]): Float32Array | undefined {
  const count = elementCount(shape);
  const content = tensor.tensor_content;
  if (content !== undefined && content.length > 0) {
    if (content.length !== count * BYTES_PER_FLOAT) return undefined;
    const floats = new Float32Array(count);
    Buffer.from(floats.buffer).set(content);
    return floats;
  }
  const values = tensor.float_val ?? [];
  if (values.length > count || (values.length === 0 && count > 0)) return undefined;
  const floats = new Float32Array(count);
  floats.set(values);
  floats.fill(values.at(-1) ?? 0, values.length);
  return floats;
}
