const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Deeper values are refused: they would overflow the stack. */
const MAX_DEPTH = 128;

/** Reads one value. Throws if the frame is malformed. */
export function decode(frame: Uint8Array): unknown {
  const reader = new Reader(frame);
  const value = reader.value(0);
  if (reader.left > 0) throw malformed();
  return value;
}

const malformed = (): Error => new SyntaxError("malformed MessagePack");

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw malformed();
    const tag = this.#view.getUint8(this.#take(1));
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.#map(tag & 15, depth);
    if (tag < 0xa0) return this.#array(tag & 15, depth);
    if (tag < 0xc0) return this.#text(tag & 31);
    if (tag >= 0xe0) return tag - 256;
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return tag === 0xc3;
      case 0xca:
        return this.#view.getFloat32(this.#take(4));
      case 0xcb:
        return this.#view.getFloat64(this.#take(8));
      case 0xd3:
        return Number(this.#view.getBigInt64(this.#take(8)));
      case 0xcf:
        return Number(this.#view.getBigUint64(this.#take(8)));
    }
    // Consecutive tags, for lengths of 1, 2 and 4 bytes.
    if (tag >= 0xc4 && tag <= 0xc6) return this.#raw(this.#unsigned(tag - 0xc4));
    if (tag >= 0xcc && tag <= 0xce) return this.#unsigned(tag - 0xcc);
    if (tag >= 0xd0 && tag <= 0xd2) return this.#signed(tag - 0xd0);
    if (tag >= 0xd9 && tag <= 0xdb) return this.#text(this.#unsigned(tag - 0xd9));
    if (tag === 0xdc || tag === 0xdd) return this.#array(this.#unsigned(tag - 0xdb), depth);
    if (tag === 0xde || tag === 0xdf) return this.#map(this.#unsigned(tag - 0xdd), depth);
    // Extensions have no meaning in JSON.
    throw malformed();
  }

  #unsigned(size: number): number {
    if (size === 0) return this.#view.getUint8(this.#take(1));
    return size === 1 ? this.#view.getUint16(this.#take(2)) : this.#view.getUint32(this.#take(4));
  }

  #signed(size: number): number {
    if (size === 0) return this.#view.getInt8(this.#take(1));
    return size === 1 ? this.#view.getInt16(this.#take(2)) : this.#view.getInt32(this.#take(4));
  }

  #array(length: number, depth: number): unknown[] {
    // Each item takes at least one byte.
    if (length > this.left) throw malformed();
    const array: unknown[] = [];
    for (let i = 0; i < length; i++) array.push(this.value(depth + 1));
    return array;
  }

  #map(length: number, depth: number): Record<string, unknown> {
    if (length > this.left) throw malformed();
    const map: Record<string, unknown> = {};
    for (let i = 0; i < length; i++) {
      const key = this.value(depth + 1);
      if (typeof key !== "string") throw malformed();
      const value = this.value(depth + 1);
      // Assigning to `__proto__` would set the prototype.
      Object.defineProperty(map, key, { value, configurable: true, enumerable: true, writable: true });
    }
    return map;
  }

  #text(length: number): string {
    return utf8.decode(this.#raw(length));
  }

  #raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  #take(count: number): number {
    if (count > this.left) throw malformed();
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
