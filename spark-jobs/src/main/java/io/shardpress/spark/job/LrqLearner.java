package io.shardpress.spark.job;

import io.shardpress.schemas.model.LinearRole;
import io.shardpress.schemas.recipe.LrqModifier;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.unit.LearnedLinear;
import io.shardpress.spark.unit.LrqUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Learns blocks by LRQ, a task for each, from GPTQ's result or from round to nearest. */
final class LrqLearner {
  private final ChainContext context;
  private final LrqModifier settings;

  LrqLearner(ChainContext context, LrqModifier settings) {
    this.context = context;
    this.settings = settings;
  }

  /**
   * Replaces what each block has learned, which is where it starts from, and gives what has to run
   * for it.
   *
   * @param targets full-precision outputs of each block, by sample partition
   */
  List<LrqUnit> prepare(List<BlockState> blocks, List<List<PartKey>> targets) {
    List<LrqUnit> units = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      BlockState block = blocks.get(i);
      LrqUnit unit = unit(block, targets.get(i));
      units.add(unit);
      block.targets.forEach(
          (role, entry) ->
              block.learned.put(
                  role,
                  new LearnedLinear(
                      entry.module(),
                      entry.out(),
                      entry.in(),
                      block.scheme(role),
                      List.of(unit.part()))));
    }
    return units;
  }

  private LrqUnit unit(BlockState block, List<PartKey> targets) {
    Map<LinearRole, WeightScheme> schemes = new EnumMap<>(LinearRole.class);
    block.targets.keySet().forEach(role -> schemes.put(role, block.scheme(role)));
    PartKey.Builder key =
        context
            .key("lrq")
            .add("number", block.spec.block())
            .add("block", block.digest)
            .add("inputs", block.quantized)
            .add("targets", targets)
            .add("schemes", schemes)
            .add("format", context.plan().scaleFormat())
            .add("settings", settings.settings());
    block.learned.forEach((role, linear) -> key.add(role.label(), linear.tiles()));
    return new LrqUnit(
        key.build(),
        block.spec,
        schemes,
        context.plan().scaleFormat(),
        new EnumMap<>(block.learned),
        block.quantized,
        targets,
        context.samples(),
        context.window(),
        settings);
  }
}
