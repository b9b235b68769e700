const utf8 = new TextEncoder();

/** Encodes a value by the rules of `JSON.stringify`: omits `undefined` and functions, calls `toJSON`. */
export function encode(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.value(value);
  return writer.bytes();
}

type Setter = Extract<keyof DataView, `set${string}`>;

class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  value(value: unknown): void {
    if (typeof value === "object" && value !== null && typeof (value as { toJSON?: unknown }).toJSON === "function")
      value = (value as { toJSON(): unknown }).toJSON();
    if (typeof value === "string") this.#text(value);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "boolean") this.#byte(value ? 0xc3 : 0xc2);
    else if (typeof value === "bigint") throw new TypeError("a bigint cannot be sent: use a number or a string");
    else if (typeof value !== "object" || value === null) this.#byte(0xc0);
    else if (value instanceof Uint8Array) {
      this.#head(value.length, [0, 0xc4, 0xc5, 0xc6], 0);
      this.#raw(value);
    } else if (Array.isArray(value)) {
      this.#head(value.length, [0x90, 0, 0xdc, 0xdd], 16);
      for (const item of value) this.value(item);
    } else this.#map(value as Record<string, unknown>);
  }

  #map(map: Record<string, unknown>): void {
    const keys = Object.keys(map).filter((key) => map[key] !== undefined && typeof map[key] !== "function");
    this.#head(keys.length, [0x80, 0, 0xde, 0xdf], 16);
    for (const key of keys) {
      this.#text(key);
      this.value(map[key]);
    }
  }

  #text(value: string): void {
    const bytes = utf8.encode(value);
    this.#head(bytes.length, [0xa0, 0xd9, 0xda, 0xdb], 32);
    this.#raw(bytes);
  }

  /** The shortest form. */
  #number(value: number): void {
    if (!Number.isFinite(value)) this.#byte(0xc0);
    else if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.#set("setFloat64", 0xcb, 8, value);
    else if (value >= 0x100000000) this.#set("setBigUint64", 0xcf, 8, BigInt(value));
    else if (value >= 0x80) this.#head(value, [0, 0xcc, 0xcd, 0xce], 0);
    else if (value >= 0) this.#byte(value);
    else if (value >= -32) this.#byte(256 + value);
    else if (value >= -0x80) this.#set("setInt8", 0xd0, 1, value);
    else if (value >= -0x8000) this.#set("setInt16", 0xd1, 2, value);
    else if (value >= -0x80000000) this.#set("setInt32", 0xd2, 4, value);
    else this.#set("setBigInt64", 0xd3, 8, BigInt(value));
  }

  /** A length, or a number: in the tag if it is below `fixed`, else in 1, 2 or 4 bytes. A tag of 0 does not exist. */
  #head(length: number, [fix, one, two, four]: [number, number, number, number], fixed: number): void {
    if (length < fixed) this.#byte(fix + length);
    else if (one && length < 0x100) this.#set("setUint8", one, 1, length);
    else if (length < 0x10000) this.#set("setUint16", two, 2, length);
    else this.#set("setUint32", four, 4, length);
  }

  #set(method: Setter, tag: number, size: number, value: number | bigint): void {
    // First the room, which may need another view.
    const at = this.#byte(tag, size);
    (this.#view[method] as (at: number, value: number | bigint) => void).call(this.#view, at, value);
  }

  #raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Writes a tag and makes room behind it. Returns where that is. */
  #byte(tag: number, more = 0): number {
    const at = this.#reserve(1 + more);
    this.#bytes[at] = tag;
    return at + 1;
  }

  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(this.#length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
