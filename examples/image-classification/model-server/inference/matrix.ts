/**
 * output[row, column] = bias[column] + sum over k of input[row, k] * weights[column, k], all row-major, ReLU if asked.
 *
 * Works in blocks of 4 by 4 so that each element loaded is used four times; doubles, because JavaScript computes in
 * doubles and converting float32 on every load costs a quarter more.
 */
export function multiply(options: {
  input: Float64Array;
  rows: number;
  depth: number;
  weights: Float64Array;
  bias: Float64Array;
  columns: number;
  relu: boolean;
  output: Float64Array;
}): void {
  const { input, rows, depth, weights, bias, columns, relu, output } = options;
  const blockRows = rows - (rows % 4);
  const blockColumns = columns - (columns % 4);
  for (let column = 0; column < blockColumns; column += 4) {
    multiplyBlockColumn(input, blockRows, depth, weights, bias, columns, column, output);
  }
  for (let row = 0; row < rows; row++) {
    // The edge: columns beyond the last block of four, or all columns of the rows beyond it.
    for (let column = row < blockRows ? blockColumns : 0; column < columns; column++) {
      let sum = bias[column] as number;
      for (let k = 0; k < depth; k++)
        sum += (input[row * depth + k] as number) * (weights[column * depth + k] as number);
      output[row * columns + column] = sum;
    }
  }
  if (relu) rectify(output, rows * columns);
}

export function rectify(values: Float64Array, count: number): void {
  for (let index = 0; index < count; index++) if ((values[index] as number) < 0) values[index] = 0;
}

// Scalars rather than an options object: V8 keeps them in registers in this, the hottest loop of the program.
// oxlint-disable-next-line max-params
function multiplyBlockColumn(
  x: Float64Array,
  rows: number,
  depth: number,
  w: Float64Array,
  bias: Float64Array,
  columns: number,
  column: number,
  y: Float64Array,
): void {
  const w0 = column * depth;
  const w1 = w0 + depth;
  const w2 = w1 + depth;
  const w3 = w2 + depth;
  const b0 = bias[column] as number;
  const b1 = bias[column + 1] as number;
  const b2 = bias[column + 2] as number;
  const b3 = bias[column + 3] as number;
  for (let row = 0; row < rows; row += 4) {
    const x0 = row * depth;
    const x1 = x0 + depth;
    const x2 = x1 + depth;
    const x3 = x2 + depth;
    let s00 = b0, s01 = b1, s02 = b2, s03 = b3; // prettier-ignore
    let s10 = b0, s11 = b1, s12 = b2, s13 = b3; // prettier-ignore
    let s20 = b0, s21 = b1, s22 = b2, s23 = b3; // prettier-ignore
    let s30 = b0, s31 = b1, s32 = b2, s33 = b3; // prettier-ignore
    for (let k = 0; k < depth; k++) {
      const u0 = w[w0 + k] as number;
      const u1 = w[w1 + k] as number;
      const u2 = w[w2 + k] as number;
      const u3 = w[w3 + k] as number;
      let v = x[x0 + k] as number;
      s00 += v * u0;
      s01 += v * u1;
      s02 += v * u2;
      s03 += v * u3; // prettier-ignore
      v = x[x1 + k] as number;
      s10 += v * u0;
      s11 += v * u1;
      s12 += v * u2;
      s13 += v * u3; // prettier-ignore
      v = x[x2 + k] as number;
      s20 += v * u0;
      s21 += v * u1;
      s22 += v * u2;
      s23 += v * u3; // prettier-ignore
      v = x[x3 + k] as number;
      s30 += v * u0;
      s31 += v * u1;
      s32 += v * u2;
      s33 += v * u3; // prettier-ignore
    }
    const y0 = row * columns + column;
    const y1 = y0 + columns;
    const y2 = y1 + columns;
    const y3 = y2 + columns;
    y[y0] = s00;
    y[y0 + 1] = s01;
    y[y0 + 2] = s02;
    y[y0 + 3] = s03; // prettier-ignore
    y[y1] = s10;
    y[y1 + 1] = s11;
    y[y1 + 2] = s12;
    y[y1 + 3] = s13; // prettier-ignore
    y[y2] = s20;
    y[y2 + 1] = s21;
    y[y2 + 2] = s22;
    y[y2 + 3] = s23; // prettier-ignore
    y[y3] = s30;
    y[y3 + 1] = s31;
    y[y3 + 2] = s32;
    y[y3 + 3] = s33; // prettier-ignore
  }
}
