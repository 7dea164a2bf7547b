package io.shardpress.spark.learn.coupled;

import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.io.TensorRef;
import java.io.Serializable;
import java.util.List;

/**
 * A linear, or some of its tiles, that coupled descent goes on from.
 *
 * @param role which it is
 * @param number of the linear in its site
 * @param start what GPTQ has solved of it: all of its tiles
 * @param tiles numbers of the tiles that are descended on, in order and without gaps
 * @param source the weights before quantization
 */
record CoupledLinear(
    LinearRole role, int number, LearnedLinear start, List<Integer> tiles, TensorRef source)
    implements Serializable {
  CoupledLinear {
    tiles = List.copyOf(tiles);
  }

  /** The rows of all its tiles. */
  RowTile rows() {
    List<RowTile> all = RowTile.of(start.out(), start.in());
    int first = all.get(tiles.get(0)).start();
    RowTile last = all.get(tiles.get(tiles.size() - 1));
    return new RowTile(first, last.start() + last.count() - first);
  }
}
