import { Readable } from 'node:stream';

import { RuntimeError } from '../container-runtime.js';

/** The image of sandboxes: made here, so that no registry is ever needed for it. */
export const PAUSE_IMAGE = 'knarr/pause:1';

const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const LOAD_ADDRESS = 0x400000;
const MACHINE_X86_64 = 62;
const MACHINE_AARCH64 = 183;

/**
 * The whole program, as machine code: ignore SIGCHLD, so that the kernel reaps orphans when this is process 1 of a shared
 * process namespace; then sleep for ever. Each ends with its `struct sigaction`: handler SIG_IGN (1), no flags, no mask.
 */
const SIGACTION = [1, ...Array.from({ length: 31 }, () => 0)];

const X86_64_CODE = [
  ...bytes(
    'b80d000000', //           mov eax, 13   rt_sigaction
    'bf11000000', //           mov edi, 17   SIGCHLD
    '488d3517000000', //       lea rsi, [rip + 23]
    '31d2', //                 xor edx, edx
    '41ba08000000', //         mov r10d, 8
    '0f05', //                 syscall
    'b822000000', //     loop: mov eax, 34   pause
    '0f05', //                 syscall
    'ebf7', //                 jmp loop
    '90909090', //             align
  ),
  ...SIGACTION,
];

const AARCH64_CODE = [
  ...words(
    0xd28010c8, //       mov x8, #134   rt_sigaction
    0xd2800220, //       mov x0, #17    SIGCHLD
    0x10000181, //       adr x1, sigaction
    0xd2800002, //       mov x2, #0
    0xd2800103, //       mov x3, #8
    0xd4000001, //       svc #0
    0xd2800928, // loop: mov x8, #73    ppoll
    0xd2800000, //       mov x0, #0
    0xd2800001, //       mov x1, #0
    0xd2800002, //       mov x2, #0
    0xd2800003, //       mov x3, #0
    0xd2800004, //       mov x4, #0
    0xd4000001, //       svc #0
    0x17fffff9, //       b loop
  ),
  ...SIGACTION,
];

function bytes(...instructions: readonly string[]): number[] {
  return [...Buffer.from(instructions.join(''), 'hex')];
}

function words(...instructions: readonly number[]): number[] {
  return instructions.flatMap((word) => [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff));
}

/** The pause program as an ELF file for an architecture as the engine names it (amd64, x86_64, arm64, aarch64). */
export function pauseProgram(architecture: string): Buffer {
  const programs: Record<string, { machine: number; code: readonly number[] }> = {
    amd64: { machine: MACHINE_X86_64, code: X86_64_CODE },
    x86_64: { machine: MACHINE_X86_64, code: X86_64_CODE },
    arm64: { machine: MACHINE_AARCH64, code: AARCH64_CODE },
    aarch64: { machine: MACHINE_AARCH64, code: AARCH64_CODE },
  };
  const program = programs[architecture];
  if (!program) {
    throw new RuntimeError('Failed', `no pause image is known for architecture ${architecture}: use x86-64 or arm64`);
  }
  return elfFile(program.machine, Buffer.from(program.code));
}

function elfFile(machine: number, code: Buffer): Buffer {
  const codeOffset = ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES;
  const file = Buffer.alloc(codeOffset + code.length);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(file); // 64 bits, little-endian, version 1
  file.writeUInt16LE(2, 16); // executable
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS + codeOffset), 24); // entry
  file.writeBigUInt64LE(BigInt(ELF_HEADER_BYTES), 32); // program headers
  file.writeUInt16LE(ELF_HEADER_BYTES, 52);
  file.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64); // PT_LOAD
  file.writeUInt32LE(5, 68); // readable, executable
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 80);
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 88);
  file.writeBigUInt64LE(BigInt(file.length), 96);
  file.writeBigUInt64LE(BigInt(file.length), 104);
  file.writeBigUInt64LE(0x10000n, 112); // arm64 kernels may have pages of 64 KB
  code.copy(file, codeOffset);
  return file;
}

/** The image's file tree as a tar for `docker import`. */
export async function pauseTar(architecture: string): Promise<Readable> {
  // The default export: bundlers give a CommonJS package no other.
  const { default: tarStream } = await import('tar-stream');
  const tar = tarStream.pack();
  tar.entry({ name: 'pause', mode: 0o755 }, pauseProgram(architecture));
  tar.finalize();
  return Readable.from(tar);
}

/** Dockerfile instructions for the import. */
export const PAUSE_CHANGES = ['ENTRYPOINT ["/pause"]', 'USER 65535:65535'];
