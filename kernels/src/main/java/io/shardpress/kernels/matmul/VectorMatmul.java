package io.shardpress.kernels.matmul;

import io.shardpress.kernels.parallel.Workers;
import java.util.Arrays;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The Vector API on packed panels, in the order of Goto and van de Geijn, "Anatomy of
 * high-performance matrix multiplication" (2008): a panel of B stays in the first cache while the
 * panels of A of a tile pass by from the second, and a tile of C is summed in registers.
 *
 * <p>All threads pack blocks of A and B once, then each computes whole tiles of C into a buffer of
 * its own that stays in the second cache over the whole depth; alpha, beta and edges come in when
 * it is written back. Each entry of C is summed in an order that follows from the depth alone, so
 * that all widths of vectors and all numbers of threads give the same bits.
 */
public final class VectorMatmul extends TiledMatmul {
  /** Rows and columns of the blocks packed at a time, a multiple of every kernel's tile. */
  private static final int BLOCK = 43 * 96;

  /** Depth of the blocks packed at a time: two of 32 MiB. */
  private static final int BLOCK_DEPTH = 2048;

  /** Depth of what a panel of B holds in the first cache: 32 KiB for 32 columns. */
  private static final int PANEL_DEPTH = 256;

  /** A tile's buffer takes 0.5 MiB of the second cache, its part of A 0.25. */
  private static final int TILE_ROWS = 240;

  private static final int TILE_COLUMNS = 512;

  /** Rows of a tile a power of two apart would share few cache sets. */
  private static final int TILE_STRIDE = TILE_COLUMNS + 16;

  private final int bits;
  private final MicroKernel kernel;
  private final ConcurrentLinkedQueue<Blocks> idleBlocks = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<float[]> idleTiles = new ConcurrentLinkedQueue<>();

  /** The two packed blocks of one product under way. */
  private record Blocks(PackedPanels a, PackedPanels b) {}

  /**
   * @param bits width of the vectors, 128, 256 or 512, at most what the processor has
   */
  VectorMatmul(int bits) {
    this.bits = bits;
    kernel = MicroKernel.of(bits);
  }

  @Override
  public String name() {
    return "vector-" + bits;
  }

  @Override
  void compute(Product product, Workers workers) {
    Blocks blocks = idleBlocks.poll();
    if (blocks == null) {
      blocks = new Blocks(new PackedPanels(kernel.rows()), new PackedPanels(kernel.columns()));
    }
    for (int row = 0; row < product.m(); row += BLOCK) {
      for (int column = 0; column < product.n(); column += BLOCK) {
        // A product over nothing still scales C.
        for (int inner = 0; inner == 0 || inner < product.k(); inner += BLOCK_DEPTH) {
          computeBlock(product, blocks, row, column, inner, workers);
        }
      }
    }
    idleBlocks.add(blocks);
  }

  private void computeBlock(
      Product product, Blocks blocks, int row, int column, int inner, Workers workers) {
    int rows = Math.min(BLOCK, product.m() - row);
    int columns = Math.min(BLOCK, product.n() - column);
    int depth = Math.min(BLOCK_DEPTH, product.k() - inner);
    TileGrid tiles =
        new TileGrid(product, row, rows, column, columns, kernel.rows(), TILE_ROWS, TILE_COLUMNS);
    if (tiles.isEmpty()) {
      return;
    }
    pack(product, blocks, row, rows, column, columns, inner, depth, workers);
    float beta = inner == 0 ? product.beta() : 1;
    workers.forEach(
        tiles.size(),
        i -> {
          TileGrid.Tile tile = tiles.at(i);
          float[] c = idleTiles.poll();
          if (c == null) {
            c = new float[TILE_ROWS * TILE_STRIDE];
          }
          int firstA = (tile.row() - row) / kernel.rows();
          int firstB = (tile.column() - column) / kernel.columns();
          sum(blocks, tile, firstA, firstB, depth, c);
          store(product, tile, c, beta);
          idleTiles.add(c);
        });
  }

  private static void pack(
      Product product,
      Blocks blocks,
      int row,
      int rows,
      int column,
      int columns,
      int inner,
      int depth,
      Workers workers) {
    PackedPanels a = blocks.a;
    PackedPanels b = blocks.b;
    a.reserve(rows, depth);
    b.reserve(columns, depth);
    int ofA = a.panels(rows);
    int ofB = b.panels(columns);
    workers.forEach(
        ofA + ofB,
        piece -> {
          if (piece < ofA) {
            a.pack(product.a(), !product.leftTransposed(), piece, row, rows, inner);
          } else {
            b.pack(product.b(), product.rightTransposed(), piece - ofA, column, columns, inner);
          }
        });
  }

  /** The tile's buffer ← the product of a row of panels of A and one of B. */
  private void sum(
      Blocks blocks, TileGrid.Tile tile, int firstA, int firstB, int depth, float[] c) {
    PackedPanels a = blocks.a;
    PackedPanels b = blocks.b;
    int ofA = a.panels(tile.rows());
    int ofB = b.panels(tile.columns());
    Arrays.fill(c, 0, ofA * kernel.rows() * TILE_STRIDE, 0);
    for (int step = 0; step < depth; step += PANEL_DEPTH) {
      int steps = Math.min(PANEL_DEPTH, depth - step);
      for (int j = 0; j < ofB; j++) {
        int inB = b.at(firstB + j, step);
        for (int i = 0; i < ofA; i++) {
          kernel.run(
              steps,
              a.data(),
              a.at(firstA + i, step),
              b.data(),
              inB,
              c,
              i * kernel.rows() * TILE_STRIDE + j * kernel.columns(),
              TILE_STRIDE);
        }
      }
    }
  }

  /** C's tile ← alpha·buffer + beta·C. */
  private static void store(Product product, TileGrid.Tile tile, float[] sums, float beta) {
    float alpha = product.alpha();
    float[] c = product.c().data();
    for (int i = 0; i < tile.rows(); i++) {
      int from = i * TILE_STRIDE;
      int to = product.c().at(tile.row() + i, tile.column());
      if (beta == 0) {
        for (int j = 0; j < tile.columns(); j++) {
          c[to + j] = alpha * sums[from + j];
        }
      } else {
        for (int j = 0; j < tile.columns(); j++) {
          c[to + j] = alpha * sums[from + j] + beta * c[to + j];
        }
      }
    }
  }
}
