package io.shardpress.spark.engine;

import io.shardpress.spark.store.PartException;
import io.shardpress.spark.store.PartFault;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.store.PartReader;
import java.util.ArrayList;
import java.util.List;

/** Reads parts whole, and answers with those that are not what was written. */
public record CheckParts(List<PartKey> parts) implements ClusterTask<ArrayList<PartFault>> {
  @Override
  public Reads reads() {
    return Reads.parts(parts);
  }

  @Override
  public ArrayList<PartFault> run(TaskEnvironment environment) {
    ArrayList<PartFault> faults = new ArrayList<>();
    for (PartKey part : parts) {
      try (PartReader reader = environment.store().read(part)) {
        for (int i = 0; i < reader.rows(); i++) {
          reader.row(i);
        }
      } catch (PartException e) {
        faults.addAll(e.faults());
      }
    }
    return faults;
  }
}
