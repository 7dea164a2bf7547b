package io.shardpress.spark.learn.gptq;

import io.shardpress.kernels.nn.Stage;
import io.shardpress.schemas.model.LinearRole;
import io.shardpress.spark.block.LearnedLinear;
import io.shardpress.spark.engine.Step;
import io.shardpress.spark.sweep.BlockState;
import java.util.List;
import java.util.Map;

/** What goes on from GPTQ's result at a site, before the next site's inputs are gathered. */
public interface Refinement {
  /** GPTQ's result as it is. */
  Refinement NONE =
      new Refinement() {
        @Override
        public String name() {
          return "";
        }

        @Override
        public void refine(
            BlockState block,
            Stage site,
            int expert,
            Map<LinearRole, FactorStep> factors,
            Map<LinearRole, LearnedLinear> solved,
            List<Step> steps) {}
      };

  /** Of its steps. */
  String name();

  /**
   * Puts what will be learned in the place of what GPTQ solves.
   *
   * @param expert that the linears belong to, {@link LinearRole#NONE} for those of all tokens
   * @param factors of each linear that was solved at the site, with the moments kept
   * @param solved the linears, replaced by those that the steps will make
   * @param steps gets the steps
   */
  void refine(
      BlockState block,
      Stage site,
      int expert,
      Map<LinearRole, FactorStep> factors,
      Map<LinearRole, LearnedLinear> solved,
      List<Step> steps);
}
