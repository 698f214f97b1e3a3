import { RuntimeError } from '../container-runtime.js';

/** Hands out the IPv4 addresses of a subnet, skipping network, gateway (the first) and broadcast; the lowest free comes last in turn. */
export class AddressPool {
  readonly #base: number;
  readonly #size: number;
  readonly #used = new Set<number>();
  #next = 2;

  constructor(cidr: string) {
    const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
    const bytes = match?.slice(1, 5).map(Number) ?? [];
    const prefix = Number(match?.[5]);
    if (!match || bytes.some((byte) => byte > 255) || prefix > 30) {
      throw new RuntimeError('Failed', `podCIDR ${JSON.stringify(cidr)} is not an IPv4 subnet`);
    }
    this.#size = 2 ** (32 - prefix);
    const address = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    this.#base = address - (address % this.#size);
  }

  take(): string {
    for (let tried = 0; tried < this.#size; tried++) {
      const offset = this.#next;
      this.#next = offset + 1 >= this.#size - 1 ? 2 : offset + 1;
      if (this.#used.has(offset)) continue;
      this.#used.add(offset);
      return toText(this.#base + offset);
    }
    throw new RuntimeError('Failed', 'no free address is left in the pod network');
  }

  give(address: string): void {
    const value = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
    this.#used.delete(value - this.#base);
  }
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
