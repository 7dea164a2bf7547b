"""Nightly: compress what was retrained, measure it, and point readers to it only if it is good.

compress -> evaluate with --max-kl -> publish. Copy this file into Airflow's dags folder and set the
variables shardpress_jar, shardpress_properties and, unless it is yarn, shardpress_master. Workers
need spark-submit of Spark 4.2 in client mode: there its exit code is the command's own, and an
evaluation above the limit (3) fails the task, so that nothing is published.
"""

from datetime import datetime, timedelta

from airflow import DAG
from airflow.models.param import Param

try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:  # Airflow 2
    from airflow.operators.bash import BashOperator

SUBMIT = (
    "spark-submit --master {{ var.value.get('shardpress_master', 'yarn') }} --deploy-mode client"
    " --properties-file {{ var.value.shardpress_properties }}"
    " --class io.shardpress.spark.cli.Shardpress {{ var.value.shardpress_jar }}"
)
OUTPUT = "{{ params.output }}/{{ ds_nodash }}"

with DAG(
    dag_id="shardpress_nightly",
    description="Compresses the newest checkpoint, gated by KL divergence",
    schedule="0 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    # Nights share the part store, one after the other.
    max_active_runs=1,
    params={
        "model": Param("hdfs:///models/M", type="string"),
        "output": Param("hdfs:///models/M-w4", type="string"),
        "work": Param("hdfs:///models/work", type="string"),
        "text": Param("hdfs:///text/heldout.jsonl", type="string"),
        "recipe": Param("hdfs:///recipes/w4a16-gptq.yaml", type="string"),
        "max_kl": Param(0.05, type="number"),
    },
) as dag:
    # Another attempt goes on from the part store.
    compress = BashOperator(
        task_id="compress",
        bash_command=f"{SUBMIT} compress {{{{ params.model }}}} {OUTPUT}"
        " --recipe {{ params.recipe }} --work {{ params.work }}",
        retries=3,
        retry_delay=timedelta(minutes=5),
    )
    # The figures would be the same: no second attempt.
    evaluate = BashOperator(
        task_id="evaluate",
        bash_command=f"{SUBMIT} evaluate {{{{ params.model }}}} {OUTPUT}"
        " --text {{ params.text }} --max-kl {{ params.max_kl }} --json",
        retries=0,
    )
    # Readers follow the name of the folder in one small file.
    publish = BashOperator(
        task_id="publish",
        bash_command=f"echo {OUTPUT} | hdfs dfs -put -f - {{{{ params.output }}}}/CURRENT",
        retries=3,
        retry_delay=timedelta(minutes=1),
    )
    compress >> evaluate >> publish
