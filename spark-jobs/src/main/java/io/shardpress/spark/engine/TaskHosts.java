package io.shardpress.spark.engine;

import io.shardpress.spark.io.FileHosts;
import io.shardpress.spark.io.FileSlice;
import io.shardpress.spark.store.PartStore;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import scala.Tuple2;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** Where a run's tasks are best run: where most of the bytes lie that they read. */
final class TaskHosts {
  private final FileHosts hosts;
  private final PartStore store;

  TaskHosts(FileHosts hosts, PartStore store) {
    this.hosts = hosts;
    this.store = store;
  }

  /** A partition for each of some tasks, which prefers the task's hosts. */
  <T> JavaRDD<T> place(JavaSparkContext spark, List<? extends T> tasks) {
    List<List<String>> preferred =
        preferred(
            tasks.stream()
                .map(task -> task instanceof ClusterTask<?> one ? one.reads() : Reads.NOTHING)
                .toList());
    if (preferred.stream().allMatch(List::isEmpty)) {
      return spark.parallelize(new ArrayList<T>(tasks), tasks.size());
    }
    List<Tuple2<T, Seq<String>>> placed = new ArrayList<>();
    for (int i = 0; i < tasks.size(); i++) {
      Seq<String> names = CollectionConverters.asScala(preferred.get(i)).toSeq();
      placed.add(new Tuple2<>(tasks.get(i), names));
    }
    ClassTag<T> any = ClassTag$.MODULE$.apply(Object.class);
    return JavaRDD.fromRDD(
        spark.sc().makeRDD(CollectionConverters.asScala(placed).toSeq(), any), any);
  }

  /**
   * Hosts for each of some tasks that run side by side. What all of them read is no reason to run
   * any of them somewhere: they would wait for one another there.
   */
  private List<List<String>> preferred(List<Reads> tasks) {
    List<List<FileSlice>> slices = tasks.stream().map(this::slices).toList();
    Map<FileSlice, Integer> readers = new HashMap<>();
    slices.forEach(each -> new HashSet<>(each).forEach(one -> readers.merge(one, 1, Integer::sum)));
    Set<FileSlice> common = new HashSet<>();
    readers.forEach(
        (slice, count) -> {
          if (tasks.size() > 1 && count == tasks.size()) {
            common.add(slice);
          }
        });
    List<List<FileSlice>> own = new ArrayList<>();
    for (List<FileSlice> each : slices) {
      own.add(each.stream().filter(slice -> !common.contains(slice)).toList());
    }
    hosts.prepare(own.stream().flatMap(List::stream).map(FileSlice::file).toList());
    return own.stream().map(hosts::of).toList();
  }

  private List<FileSlice> slices(Reads reads) {
    List<FileSlice> slices = new ArrayList<>(reads.slices());
    reads.parts().forEach(part -> slices.add(FileSlice.whole(store.uri(part))));
    return slices;
  }
}
