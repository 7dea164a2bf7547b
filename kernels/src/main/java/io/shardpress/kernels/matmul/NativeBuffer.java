package io.shardpress.kernels.matmul;

import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;

/** Off-heap floats that grow as needed and are used again. */
final class NativeBuffer {
  private FloatPointer floats;
  private FloatBuffer view;

  /** At least that many floats; what was there before is lost when it has to grow. */
  void reserve(int wanted) {
    if (floats != null && floats.capacity() >= wanted) {
      return;
    }
    if (floats != null) {
      floats.close();
    }
    floats = new FloatPointer(wanted);
    view = floats.asBuffer();
  }

  /** The address of an element, to pass on to the library. */
  FloatPointer at(int element) {
    return floats.getPointer(element);
  }

  /** Copies rows of a part of a matrix here; row r of the part goes to element r·stride. */
  void load(Matrix from, int row, int column, int columns, int first, int end, int stride) {
    for (int r = first; r < end; r++) {
      view.put(r * stride, from.data(), from.at(row + r, column), columns);
    }
  }

  /** Copies rows of a part of a matrix back from here. */
  void store(Matrix to, int row, int column, int columns, int rows, int stride) {
    for (int r = 0; r < rows; r++) {
      view.get(r * stride, to.data(), to.at(row + r, column), columns);
    }
  }
}
