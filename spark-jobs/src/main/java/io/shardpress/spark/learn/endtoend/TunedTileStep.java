package io.shardpress.spark.learn.endtoend;

import io.shardpress.kernels.quant.QuantizedLinear;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.block.RowTile;
import io.shardpress.spark.block.TileCodec;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartWriter;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Writes a linear as a state has it, in its tiles.
 *
 * @param model that was tuned
 * @param block its number
 * @param state of the block
 * @param source the weights before quantization
 */
record TunedTileStep(TunedModel model, int block, LinearRole role, PartKey state, TensorRef source)
    implements Step {
  private static final StepKind KIND = new StepKind("tune.tiles", 1);

  @Override
  public StepKind kind() {
    return KIND;
  }

  private LearnedLinear solved() {
    return model.blocks().get(block).learned().get(role);
  }

  @Override
  public List<PartKey> parts() {
    return linear().tiles();
  }

  /** The linear that it writes. */
  LearnedLinear linear() {
    LearnedLinear before = solved();
    List<PartKey> tiles =
        IntStream.range(0, before.tiles().size()).mapToObj(tile -> part("tile " + tile)).toList();
    return new LearnedLinear(before.module(), before.out(), before.in(), before.scheme(), tiles);
  }

  @Override
  public Reads reads() {
    return Reads.parts(solved().tiles());
  }

  @Override
  public void run(TaskEnvironment environment) {
    TuneState tuned = TuneState.read(environment.store(), state, false);
    LearnedLinear before = solved();
    QuantizedLinear start = before.read(environment.store());
    PartKey candidates = model.candidates(block, role);
    float[] latents = tuned.value(TuneState.latents(role));
    QuantizedLinear linear =
        tuned.apply(
            role,
            start,
            candidates == null
                ? null
                : CandidatesStep.read(environment.store(), candidates, before.in(), latents),
            model.format());
    List<RowTile> tiles = RowTile.of(before.out(), before.in());
    List<PartKey> parts = parts();
    for (int i = 0; i < tiles.size(); i++) {
      RowTile tile = tiles.get(i);
      float[] original = environment.reader().readFloats(source, tile.start(), tile.count());
      try (PartWriter writer = environment.store().write(parts.get(i))) {
        TileCodec.write(
            writer,
            before.module(),
            before.out(),
            tile.start(),
            linear.rows(tile.start(), tile.count()),
            original,
            null);
        before
            .readTokens(environment.store(), i)
            .ifPresent(tokens -> tokens.write(writer, before.module()));
        writer.commit();
      }
    }
  }
}
