package io.shardpress.schemas.gguf;

/** Types of tensors in GGUF, under llama.cpp's names. */
public enum GgufType {
  F32(0, 1, 4, 0),
  F16(1, 1, 2, 1),
  BF16(30, 1, 2, 32),
  Q4_0(2, 32, 18, 2),
  Q4_1(3, 32, 20, 3),
  Q8_0(8, 32, 34, 7),
  Q4_K(12, 256, 144, 14),
  Q6_K(14, 256, 210, 18);

  private final int id;
  private final int blockElements;
  private final int blockBytes;
  private final int fileType;

  GgufType(int id, int blockElements, int blockBytes, int fileType) {
    this.id = id;
    this.blockElements = blockElements;
    this.blockBytes = blockBytes;
    this.fileType = fileType;
  }

  /** Its number in a tensor's info. */
  public int id() {
    return id;
  }

  /** Elements of a block; the length of rows is a multiple of it. */
  public int blockElements() {
    return blockElements;
  }

  /** Bytes of a block. */
  public int blockBytes() {
    return blockBytes;
  }

  /** general.file_type of a file whose tensors are mostly of this type. */
  public int fileType() {
    return fileType;
  }

  /** Whether rows of {@code columns} elements split into whole blocks. */
  public boolean divides(long columns) {
    return columns % blockElements == 0;
  }

  /**
   * Bytes of so many elements.
   *
   * @throws IllegalArgumentException where they do not split into whole blocks
   */
  public long bytes(long elements) {
    if (!divides(elements)) {
      throw new IllegalArgumentException(
          elements + " elements do not split into blocks of " + blockElements + ", as " + this);
    }
    return Math.multiplyExact(elements / blockElements, blockBytes);
  }
}
