package io.shardpress.spark.datasource;

import io.shardpress.spark.io.TensorRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.connector.expressions.filter.Predicate;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.ScanBuilder;
import org.apache.spark.sql.connector.read.SupportsPushDownRequiredColumns;
import org.apache.spark.sql.connector.read.SupportsPushDownV2Filters;
import org.apache.spark.sql.types.StructType;

/** Collects the columns and filters of a query, then lists the tiles that are left. */
final class TileScanBuilder
    implements ScanBuilder, SupportsPushDownRequiredColumns, SupportsPushDownV2Filters {
  private final ReadOptions options;
  private final List<Predicate> pushed = new ArrayList<>();
  private final List<TensorFilter> filters = new ArrayList<>();
  private StructType columns = WeightTableType.SCHEMA;

  TileScanBuilder(ReadOptions options) {
    this.options = options;
  }

  @Override
  public void pruneColumns(StructType required) {
    columns = required;
  }

  @Override
  public Predicate[] pushPredicates(Predicate[] predicates) {
    List<Predicate> left = new ArrayList<>();
    for (Predicate predicate : predicates) {
      Optional<TensorFilter> filter = FilterTranslation.of(predicate);
      if (filter.isPresent()) {
        pushed.add(predicate);
        filters.add(filter.get());
      } else {
        left.add(predicate);
      }
    }
    return left.toArray(new Predicate[0]);
  }

  @Override
  public Predicate[] pushedPredicates() {
    return pushed.toArray(new Predicate[0]);
  }

  @Override
  public Scan build() {
    Configuration configuration = options.configuration();
    List<Tile> tiles = new ArrayList<>();
    for (TensorRef tensor : options.checkpoint().tensors()) {
      TensorFields fields = TensorFields.of(tensor);
      if (filters.stream().allMatch(filter -> filter.test(fields) == TensorFilter.Answer.YES)) {
        tiles.addAll(Tile.of(tensor, options.tileBytes()));
      }
    }
    return new TileScan(options.path(), columns, tiles, pushed, configuration);
  }
}
