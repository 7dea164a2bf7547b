package io.shardpress.kernels.matmul;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasLower;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasUpper;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_ssyrk;

import io.shardpress.kernels.parallel.Workers;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.bytedeco.javacpp.FloatPointer;

/**
 * OpenBLAS, one single-threaded sgemm for each tile of C.
 *
 * <p>Its Java binding copies heap arrays on every call, whole and in both directions (measured at
 * 1920³: 97–119 GFLOP/s against 155–165 from off-heap memory). So blocks of A and B are copied off
 * the heap once, by all threads, and shared by the tiles: 3 ms of the 85 ms of that product.
 *
 * <p>Tiles are strips of columns. Seen in column-major order, as the library computes, that splits
 * its rows, and each call packs only its own strip anew; strips of 480 columns cost 7 % against one
 * call, strips of 480 rows 16 %. The tiles follow from the product's size alone.
 */
public final class OpenBlasMatmul extends TiledMatmul {
  /** Side of the blocks that are off the heap at a time: two of 64 MiB. */
  private static final int BLOCK = 4096;

  /** Columns of a tile. Where that gives few strips, it is also the rows of a tile. */
  private static final int STRIP = 512;

  private final ConcurrentLinkedQueue<Blocks> idleBlocks = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<NativeBuffer> idleTiles = new ConcurrentLinkedQueue<>();

  /** The two blocks of one product under way. */
  private record Blocks(NativeBlock a, NativeBlock b) {}

  /**
   * @throws UnsupportedOperationException where the library cannot be loaded, with the reason
   */
  public OpenBlasMatmul() {
    if (!OpenBlasLibrary.isLoaded()) {
      throw new UnsupportedOperationException(OpenBlasLibrary.failure());
    }
  }

  @Override
  public String name() {
    return OpenBlasLibrary.name();
  }

  @Override
  void compute(Product product, Workers workers) {
    Blocks blocks = idleBlocks.poll();
    if (blocks == null) {
      blocks = new Blocks(new NativeBlock(), new NativeBlock());
    }
    for (int row = 0; row < product.m(); row += BLOCK) {
      for (int column = 0; column < product.n(); column += BLOCK) {
        // A product over nothing still scales C.
        for (int inner = 0; inner == 0 || inner < product.k(); inner += BLOCK) {
          computeBlock(product, blocks, row, column, inner, workers);
        }
      }
    }
    blocks.a.release();
    blocks.b.release();
    idleBlocks.add(blocks);
  }

  private void computeBlock(
      Product product, Blocks blocks, int row, int column, int inner, Workers workers) {
    int rows = Math.min(BLOCK, product.m() - row);
    int columns = Math.min(BLOCK, product.n() - column);
    int depth = Math.min(BLOCK, product.k() - inner);
    TileGrid tiles = tiles(product, row, rows, column, columns);
    if (tiles.isEmpty()) {
      return;
    }
    NativeBlock a = blocks.a;
    NativeBlock b = blocks.b;
    a.reserve(product.a(), product.leftTransposed(), row, rows, inner, depth);
    b.reserve(product.b(), product.rightTransposed(), inner, depth, column, columns);
    int piecesOfA = a.pieces();
    workers.forEach(
        piecesOfA + b.pieces(),
        piece -> {
          if (piece < piecesOfA) {
            a.load(piece);
          } else {
            b.load(piece - piecesOfA);
          }
        });
    float beta = inner == 0 ? product.beta() : 1;
    workers.forEach(
        tiles.size(),
        i -> {
          TileGrid.Tile tile = tiles.at(i);
          computeTile(product, blocks, tile, tile.row() - row, tile.column() - column, depth, beta);
        });
  }

  // Squares where a triangle is wanted, so that those on the diagonal are symmetric products too.
  private static TileGrid tiles(Product product, int row, int rows, int column, int columns) {
    if (product.triangle() != null) {
      int side = TileGrid.size(columns, columns < 8 * STRIP ? STRIP : 2 * STRIP, 32);
      return new TileGrid(product, row, rows, column, columns, side, side, side);
    }
    // A small product would be one tile, and one thread's.
    int strip = rows <= 2 * STRIP && columns <= 2 * STRIP ? STRIP / 2 : STRIP;
    boolean few = columns <= 2 * STRIP;
    int mostRows = few ? strip : 4 * STRIP;
    return new TileGrid(product, row, rows, column, columns, 16, mostRows, strip);
  }

  private void computeTile(
      Product product,
      Blocks blocks,
      TileGrid.Tile tile,
      int rowInBlock,
      int columnInBlock,
      int depth,
      float beta) {
    NativeBuffer c = idleTiles.poll();
    if (c == null) {
      c = new NativeBuffer();
    }
    int rows = tile.rows();
    int columns = tile.columns();
    int stride = columns + 16;
    c.reserve(rows * stride);
    boolean triangular = product.triangle() != null && product.isSymmetric() && tile.isDiagonal();
    if (beta != 0 || triangular) {
      c.load(product.c(), tile.row(), tile.column(), columns, 0, rows, stride);
    }
    FloatPointer a = blocks.a.at(rowInBlock, 0);
    int transA = product.leftTransposed() ? CblasTrans : CblasNoTrans;
    if (triangular) {
      cblas_ssyrk(
          CblasRowMajor,
          product.triangle() == Triangle.UPPER ? CblasUpper : CblasLower,
          transA,
          rows,
          depth,
          product.alpha(),
          a,
          blocks.a.stride(),
          beta,
          c.at(0),
          stride);
    } else {
      cblas_sgemm(
          CblasRowMajor,
          transA,
          product.rightTransposed() ? CblasTrans : CblasNoTrans,
          rows,
          columns,
          depth,
          product.alpha(),
          a,
          blocks.a.stride(),
          blocks.b.at(0, columnInBlock),
          blocks.b.stride(),
          beta,
          c.at(0),
          stride);
    }
    c.store(product.c(), tile.row(), tile.column(), columns, rows, stride);
    idleTiles.add(c);
  }
}
