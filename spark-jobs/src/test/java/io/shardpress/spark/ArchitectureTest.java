package io.shardpress.spark;

import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;

/** Dependencies run one way, and every module keeps to its own. */
@AnalyzeClasses(packages = "io.shardpress", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
  private static final String SCHEMAS = "io.shardpress.schemas..";
  private static final String KERNELS = "io.shardpress.kernels..";
  private static final String JOBS = "io.shardpress.spark..";

  /**
   * Streams over arrays are fine, and so is being serializable; files, sockets and Spark are not.
   */
  private static final String OUTSIDE =
      "java\\.io\\.(File|RandomAccess).*|java\\.nio\\.(file|channels)\\..*|java\\.net\\..*"
          + "|org\\.apache\\.(spark|hadoop)\\..*|scala\\..*";

  @ArchTest
  static final ArchRule schemasKnowNothingOfOurs =
      noClasses()
          .that()
          .resideInAPackage(SCHEMAS)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(KERNELS, JOBS);

  @ArchTest
  static final ArchRule kernelsKnowSchemasOnly =
      noClasses()
          .that()
          .resideInAPackage(KERNELS)
          .should()
          .dependOnClassesThat()
          .resideInAPackage(JOBS);

  @ArchTest
  static final ArchRule kernelsTakeArraysAndRecords =
      noClasses()
          .that()
          .resideInAPackage(KERNELS)
          .should()
          .dependOnClassesThat(nameMatching(OUTSIDE));

  @ArchTest
  static final ArchRule schemasOpenNoFiles =
      noClasses()
          .that()
          .resideInAPackage(SCHEMAS)
          .should()
          .dependOnClassesThat(nameMatching(OUTSIDE));

  @ArchTest
  static final ArchRule schemasComputeNothing =
      noClasses()
          .that()
          .resideInAPackage(SCHEMAS)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("jdk.incubator..", "org.bytedeco..");

  @ArchTest
  static final ArchRule theCommandLineStartsWithoutSpark =
      noClasses()
          .that()
          .resideInAnyPackage("io.shardpress.spark.cli..", "io.shardpress.spark.app.options..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache..", "scala..");

  /** The rooms of spark-jobs from the ground up: each knows those before it only. */
  private static final List<String> ROOMS =
      List.of(
          "io",
          "store",
          "text.jinja",
          "text",
          "foreign",
          "datasource",
          "inspect",
          "engine",
          "plan",
          "block",
          "sweep",
          "learn.rounding",
          "learn.gptq",
          "learn.coupled",
          "learn.blockwise",
          "learn.scales",
          "learn.endtoend",
          "learn.transform",
          "learn.activation",
          "learn",
          "learn.cost",
          "output",
          "output.dense",
          "output.compressedtensors",
          "output.gguf",
          "evaluate",
          "job",
          "app.options",
          "app",
          "fidelity",
          "cli");

  @ArchTest
  static void roomsKnowThoseBelowOnly(JavaClasses classes) {
    for (int i = 0; i < ROOMS.size(); i++) {
      String[] above =
          ROOMS.subList(i + 1, ROOMS.size()).stream()
              .map(room -> "io.shardpress.spark." + room)
              .toArray(String[]::new);
      noClasses()
          .that()
          .resideInAPackage("io.shardpress.spark." + ROOMS.get(i))
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(above)
          .allowEmptyShould(false)
          .check(classes);
    }
  }

  @ArchTest
  static final ArchRule everyClassHasARoom =
      classes()
          .that()
          .resideInAPackage(JOBS)
          .and()
          .doNotHaveSimpleName("package-info")
          .should()
          .resideInAnyPackage(
              ROOMS.stream().map(room -> "io.shardpress.spark." + room).toArray(String[]::new));

  @ArchTest
  static final ArchRule formatsKnowNothingOfEachOther =
      slices().matching("io.shardpress.spark.output.(*)").should().notDependOnEachOther();

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("io.shardpress.(*).(*)..").should().beFreeOfCycles();
}
