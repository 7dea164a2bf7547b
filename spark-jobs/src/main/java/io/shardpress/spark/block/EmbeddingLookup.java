package io.shardpress.spark.block;

import io.shardpress.kernels.loops.Loops;
import io.shardpress.kernels.quant.ScaleFormat;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.spark.io.TensorReader;
import io.shardpress.spark.io.TensorRef;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads the rows of an embedding that are asked for, tile by tile, never the whole table. Where
 * they are few they are read alone.
 */
public final class EmbeddingLookup {
  private static final int TILE_ELEMENTS = 1 << 22;

  /** Of a tile's rows: where more are wanted, one range of all is cheaper than many. */
  private static final double FEW = 0.25;

  private final TensorRef embedding;
  private final TensorReader reader;
  private final float scale;

  /**
   * @param scale by which they are multiplied, see {@link #scale}
   */
  public EmbeddingLookup(TensorRef embedding, float scale, TensorReader reader) {
    this.embedding = embedding;
    this.scale = scale;
    this.reader = reader;
  }

  /**
   * What a family multiplies its embeddings by: √hidden with Gemma, rounded to the dtype of the
   * table as in its training, 1 with others.
   */
  public static float scale(ModelConfig config, TensorRef embedding) {
    if (!config.traits().scaledEmbedding()) {
      return 1;
    }
    float root = (float) Math.sqrt(config.hiddenSize());
    return ScaleFormat.of(embedding.dtype()).round(root);
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
      int count = Math.min(tileRows, rows - start);
      int[] wanted = places.get(tile).stream().mapToInt(i -> ids[i]).sorted().distinct().toArray();
      boolean alone = wanted.length < FEW * count;
      float[] table =
          alone ? reader.readRows(embedding, wanted) : reader.readFloats(embedding, start, count);
      for (int place : places.get(tile)) {
        int row = alone ? Arrays.binarySearch(wanted, ids[place]) : ids[place] - start;
        System.arraycopy(table, row * width, x, place * width, width);
      }
    }
    if (scale != 1) {
      Loops.chosen().scale(scale, x, 0, ids.length * width);
    }
  }
}
