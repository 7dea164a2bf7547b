package io.shardpress.spark.sweep;

import io.shardpress.kernels.nn.BlockShape;
import io.shardpress.kernels.nn.BlockWeights;
import io.shardpress.kernels.nn.DecoderBlock;
import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.Batches;
import io.shardpress.spark.block.ChainLink;
import io.shardpress.spark.engine.Reads;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.engine.StepKind;
import io.shardpress.spark.engine.TaskEnvironment;
import io.shardpress.spark.store.OpenParts;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import io.shardpress.spark.store.PartWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Takes a sample partition through a block up to the input of a site, in both chains, from the
 * state that the site before left, and observes both there.
 *
 * @param arithmetic backend and loops that numbers depend on
 * @param window tokens of a window
 */
public record SiteStep(
    String arithmetic,
    Stage site,
    ChainLink link,
    StageInputs inputs,
    SamplePartition samples,
    int window,
    SiteObserver observer)
    implements Step {
  private static final StepKind KIND = new StepKind("site", 1);

  @Override
  public StepKind kind() {
    return KIND;
  }

  /** The part with what was observed. */
  public PartKey observed() {
    return part("observed");
  }

  /** The part with what later sites need; the first site leaves none. */
  public Optional<PartKey> state() {
    return site == Stage.QKV ? Optional.empty() : Optional.of(part("state"));
  }

  @Override
  public List<PartKey> parts() {
    List<PartKey> parts = new ArrayList<>(List.of(observed()));
    state().ifPresent(parts::add);
    return parts;
  }

  @Override
  public Reads reads() {
    return inputs.reads();
  }

  @Override
  public void run(TaskEnvironment environment) {
    BlockShape shape = link.spec().shape();
    DecoderBlock block = new DecoderBlock(shape, window, environment.matmul());
    Set<LinearRole> linears = new TreeSet<>(ChainPass.linearsBefore(site, shape));
    linears.addAll(observer.linears(site, shape));
    BlockWeights original = link.spec().load(environment.reader(), linears);
    BlockWeights quantized = link.quantized(original, environment.store());
    int batch = Batches.windows(shape, window, samples.count());
    ChainPass[] chains = {
      new ChainPass(block, original, 0, batch, environment.workers()),
      new ChainPass(block, quantized, 1, batch, environment.workers())
    };
    SiteObserver.Gathering gathering = observer.begin(link, site, environment);
    try (PartReader full = environment.store().read(inputs.full());
        PartReader other = environment.store().read(inputs.quantized());
        OpenParts<Stage> states = OpenParts.of(environment.store(), inputs.states());
        PartWriter kept = state().map(environment.store()::write).orElse(null)) {
      for (int first = 0; first < samples.count(); first += batch) {
        int count = Math.min(batch, samples.count() - first);
        chains[0].advanceTo(site, full, states.readers(), first, count);
        chains[1].advanceTo(site, other, states.readers(), first, count);
        if (kept != null) {
          keep(kept, chains, first, count);
        }
        gathering.observe(
            chains[0].activations(), chains[1].activations(), original, count * window);
      }
      if (kept != null) {
        kept.commit();
      }
    }
    try (PartWriter writer = environment.store().write(observed())) {
      gathering.write(writer);
      writer.commit();
    }
  }

  /** Writes the state of a batch in both chains. */
  private void keep(PartWriter writer, ChainPass[] chains, int first, int count) {
    float[] full = ChainPass.state(site, chains[0].activations());
    float[] other = ChainPass.state(site, chains[1].activations());
    int width = full.length / chains[0].activations().capacity();
    Activations.write(
        writer,
        samples.count(),
        first,
        count,
        window,
        new float[][] {full, other},
        new int[] {width, width});
  }
}
