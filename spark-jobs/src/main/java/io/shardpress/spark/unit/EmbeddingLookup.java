package io.shardpress.spark.unit;

import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.util.ArrayList;
import java.util.List;

/** Reads the rows of an embedding that are asked for, tile by tile, never the whole table. */
public final class EmbeddingLookup {
  private static final int TILE_ELEMENTS = 1 << 22;

  private final TensorRef embedding;
  private final TensorReader reader;

  public EmbeddingLookup(TensorRef embedding, TensorReader reader) {
    this.embedding = embedding;
    this.reader = reader;
  }

  /** x [ids × width] from ids, each below the table's rows. */
  public void lookUp(int[] ids, float[] x) {
    int width = Math.toIntExact(embedding.columns());
    int rows = Math.toIntExact(embedding.rows());
    int tileRows = Math.max(1, TILE_ELEMENTS / width);
    List<List<Integer>> places = new ArrayList<>();
    for (int tile = 0; tile <= (rows - 1) / tileRows; tile++) {
      places.add(new ArrayList<>());
    }
    for (int i = 0; i < ids.length; i++) {
      places.get(ids[i] / tileRows).add(i);
    }
    for (int tile = 0; tile < places.size(); tile++) {
      if (places.get(tile).isEmpty()) {
        continue;
      }
      int start = tile * tileRows;
      float[] table = reader.readFloats(embedding, start, Math.min(tileRows, rows - start));
      for (int place : places.get(tile)) {
        System.arraycopy(table, (ids[place] - start) * width, x, place * width, width);
      }
    }
  }
}
