/** Where lines stay, reasons are told no more often than this. */
const detailPeriodMs = 1_000;

/** Shows what is waited for, with seconds: a live line on a terminal, one line a step elsewhere. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #startMs = performance.now();
  #step = '';
  #detail = '';
  #detailMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
  }

  /** Begins a step; the one before is done. */
  step(text: string): void {
    if (this.#step === text) return;
    this.#finishLine();
    this.#step = text;
    this.#detail = '';
    if (!this.#out.isTTY) this.#out.write(`${this.#seconds()} ${text}\n`);
    else this.#timer ??= setInterval(() => this.#draw(), 100).unref();
    this.#draw();
  }

  /** Why the step takes its time. */
  detail(text: string): void {
    if (text === this.#detail) return;
    this.#detail = text;
    if (this.#out.isTTY) {
      this.#draw();
      return;
    }
    const nowMs = performance.now();
    if (text === '' || nowMs - this.#detailMs < detailPeriodMs) return;
    this.#detailMs = nowMs;
    this.#out.write(`${this.#seconds()}   ${text}\n`);
  }

  done(text?: string): void {
    this.#finishLine();
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#step = '';
    if (text !== undefined) this.#out.write(`${this.#seconds()} ${text}\n`);
  }

  #seconds(): string {
    return `${((performance.now() - this.#startMs) / 1000).toFixed(1).padStart(5)}s`;
  }

  #draw(): void {
    if (!this.#out.isTTY || this.#step === '') return;
    const line = `${this.#seconds()} ${this.#step}${this.#detail ? `: ${this.#detail}` : ''}`;
    this.#out.write(`\r\u001b[2K${line.slice(0, Math.max(20, this.#out.columns - 1))}`);
  }

  #finishLine(): void {
    if (!this.#out.isTTY || this.#step === '') return;
    this.#detail = '';
    this.#draw();
    this.#out.write('\n');
  }
}
