# SPDX-License-Identifier: Apache-2.0
"""hawser plan, apply, outputs and destroy: what a file declares is there, as
boto3 sees it, once; what can't be is told."""
import json
import os
import pathlib
import pty
import subprocess
import tempfile
import unittest

import lib

VPC = "vpc-0a9bd8f7e6c5a4b32"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
ALARMS = ["percent-io-limit", "burst-credit-balance", "client-connections",
          "metered-io-bytes"]

# The three configurations that the module shows, but for what is created
# elsewhere: network and key.
PRODUCTION = """
enable_encryption: true
kms_key_id: {key}
performance_mode: "generalPurpose"
throughput_mode:  "elastic"
transition_to_ia:                    "AFTER_30_DAYS"
transition_to_primary_storage_class: "AFTER_1_ACCESS"
create_kafka_backup_access_point:  true
create_kafka_connect_access_point: true
create_shared_logs_access_point:   true
enable_automatic_backups: true
create_cloudwatch_alarms: true
alarm_actions: [ "{topic}" ]
tags: {{ Owner: data, "cost center": "4711" }}
"""
DEVELOPMENT = """
enable_encryption: true
kms_key_id: null
performance_mode: generalPurpose
throughput_mode: bursting
transition_to_ia: AFTER_7_DAYS
transition_to_primary_storage_class: AFTER_1_ACCESS
create_kafka_backup_access_point: true
create_kafka_connect_access_point: true
create_shared_logs_access_point: false
enable_automatic_backups: false
create_cloudwatch_alarms: false
tags: {{}}
"""
HIGH_PERFORMANCE = """
enable_encryption: true
kms_key_id: {key}
performance_mode: maxIO
throughput_mode: provisioned
provisioned_throughput_in_mibps: 200 # 200 MiB/s
transition_to_ia: null
transition_to_primary_storage_class: null
enable_automatic_backups: true
create_cloudwatch_alarms: true
alarm_actions: [ "{topic}" ]
"""


def run(*words, **more):
    return subprocess.run(["hawser", *map(str, words)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, **more)


class Stack(lib.Case):
    @classmethod
    def setUpClass(cls):
        cls.efs = lib.client()
        cls.ec2 = lib.client("ec2")
        cls.cw = lib.client("cloudwatch")
        cls.key = lib.client("kms").create_key()["KeyMetadata"]["Arn"]
        cls.subnets = [s["id"] for s in
                       json.loads(lib.hawser("subnet", "list", "--json"))]
        cls.nodes = cls.ec2.create_security_group(
            GroupName="nodes", Description="nodes", VpcId=VPC)["GroupId"]
        cls.directory = tempfile.TemporaryDirectory()
        cls.file = pathlib.Path(cls.directory.name, "stack.yaml")

    def tearDown(self):
        if self.file.exists():
            run("destroy", "--yes", "--delete-data", self.file)

    def write(self, text, environment="prod", subnets=3):
        self.file.write_text(f"""
project_name: confluent-kafka
environment: {environment}
vpc_id: {VPC}
private_subnet_ids: {json.dumps(self.subnets[:subnets])}
eks_node_security_group_id: {self.nodes}
""" + text.format(key=self.key, topic=TOPIC))

    def succeed(self, *words):
        done = run(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def apply(self, *options):
        """The steps that were taken."""
        done = json.loads(self.succeed("apply", "--yes", "--json", *options,
                                       self.file))
        self.assertTrue(done["done"])
        again = json.loads(self.succeed("apply", "--json", self.file))
        self.assertEqual(again["steps"], [])
        for step in done["steps"]:
            if step["kind"] == "file_system":
                self.assertEqual(step["id"],
                                 self.outputs()["file_system_id"])
        return [(s["action"], s["kind"], s["key"]) for s in done["steps"]]

    def fail_with(self, text, *words):
        """It fails, and says that in one of its lines."""
        done = run(*words)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(text, done.stderr)
        return done

    def outputs(self):
        return json.loads(self.succeed("outputs", "--json", self.file))

    # ---------------------------------------------------- what boto3 sees

    def the_fs(self):
        mine = [f for f in self.efs.describe_file_systems()["FileSystems"]
                if {"Key": "hawser:stack", "Value": "confluent-kafka/prod"}
                in f["Tags"]]
        self.assertEqual(len(mine), 1)
        return mine[0]

    def check_network(self, fs, subnets):
        group, = self.ec2.describe_security_groups(Filters=[
            {"Name": "group-name",
             "Values": ["confluent-kafka-prod-efs"]}])["SecurityGroups"]
        rule, = group["IpPermissions"]
        self.assertEqual((rule["IpProtocol"], rule["FromPort"], rule["ToPort"],
                          rule["UserIdGroupPairs"][0]["GroupId"]),
                         ("tcp", 2049, 2049, self.nodes))
        targets = self.efs.describe_mount_targets(
            FileSystemId=fs)["MountTargets"]
        self.assertEqual(sorted(t["SubnetId"] for t in targets),
                         sorted(self.subnets[:subnets]))
        for t in targets:
            self.assertEqual(
                self.efs.describe_mount_target_security_groups(
                    MountTargetId=t["MountTargetId"])["SecurityGroups"],
                [group["GroupId"]])

    def check_points(self, fs, paths):
        points = self.efs.describe_access_points(
            FileSystemId=fs)["AccessPoints"]
        self.assertEqual(sorted(p["RootDirectory"]["Path"] for p in points),
                         sorted(paths))
        for p in points:
            self.assertEqual(p["PosixUser"], {"Uid": 1000, "Gid": 1000})
            self.assertEqual(p["RootDirectory"]["CreationInfo"],
                             {"OwnerUid": 1000, "OwnerGid": 1000,
                              "Permissions": "0755"})

    def check_alarms(self, fs, names):
        alarms = self.cw.describe_alarms(
            AlarmNamePrefix="confluent-kafka-prod-efs-")["MetricAlarms"]
        self.assertEqual(sorted(a["AlarmName"] for a in alarms),
                         sorted("confluent-kafka-prod-efs-" + n
                                for n in names))
        for a in alarms:
            self.assertEqual(a["Dimensions"],
                             [{"Name": "FileSystemId", "Value": fs}])
            self.assertEqual(a["AlarmActions"], [TOPIC])

    def lifecycle(self, fs):
        return self.efs.describe_lifecycle_configuration(
            FileSystemId=fs)["LifecyclePolicies"]

    # -------------------------------------------- the module's configurations

    def test_production(self):
        self.write(PRODUCTION)
        self.assertEqual(len(self.apply()), 11)
        fs = self.the_fs()
        self.assertEqual(
            (fs["Encrypted"], fs["KmsKeyId"], fs["PerformanceMode"],
             fs["ThroughputMode"], fs["Name"]),
            (True, self.key, "generalPurpose", "elastic",
             "confluent-kafka-prod-efs"))
        self.assertIn({"Key": "cost center", "Value": "4711"}, fs["Tags"])
        fs = fs["FileSystemId"]
        self.assertEqual(self.lifecycle(fs), [
            {"TransitionToIA": "AFTER_30_DAYS"},
            {"TransitionToPrimaryStorageClass": "AFTER_1_ACCESS"}])
        self.assertEqual(self.efs.describe_backup_policy(
            FileSystemId=fs)["BackupPolicy"]["Status"], "ENABLED")
        self.check_network(fs, 3)
        self.check_points(fs, ["/kafka-backups", "/kafka-connect-plugins",
                               "/shared-logs"])
        self.check_alarms(fs, [a for a in ALARMS if "burst" not in a])

    def test_development(self):
        self.write(DEVELOPMENT)
        self.assertEqual(len(self.apply()), 7)
        fs = self.the_fs()
        self.assertTrue(fs["Encrypted"])
        self.assertEqual(fs["ThroughputMode"], "bursting")
        fs = fs["FileSystemId"]
        self.assertEqual(self.efs.describe_backup_policy(
            FileSystemId=fs)["BackupPolicy"]["Status"], "DISABLED")
        self.check_points(fs, ["/kafka-backups", "/kafka-connect-plugins"])
        self.check_alarms(fs, [])
        outputs = self.outputs()
        self.assertIsNone(outputs["shared_logs_access_point_id"])
        self.assertIsNone(outputs["percent_io_limit_alarm_arn"])

    def test_high_performance(self):
        self.write(HIGH_PERFORMANCE)
        self.apply()
        fs = self.the_fs()
        self.assertEqual(
            (fs["PerformanceMode"], fs["ThroughputMode"],
             fs["ProvisionedThroughputInMibps"]),
            ("maxIO", "provisioned", 200))
        self.assertEqual(self.lifecycle(fs["FileSystemId"]), [])

    # ------------------------------------------------------------- changes

    def test_changes_in_place(self):
        self.write(PRODUCTION)
        self.apply()
        fs = self.the_fs()["FileSystemId"]
        self.write(PRODUCTION.replace("elastic", "bursting")
                   .replace("AFTER_30_DAYS", "AFTER_90_DAYS")
                   .replace("backups: true", "backups: false")
                   .replace("data,", "logs,")
                   .replace("create_shared_logs_access_point:   true",
                            "create_shared_logs_access_point: false")
                   + "allowed_cidr_blocks: [ 10.0.0.0/16, 10.1.2.3/32 ]\n",
                   subnets=2)
        self.assertEqual(set(self.apply()), {
            ("change", "security_group", "efs"),
            ("change", "file_system", "efs"),
            ("delete", "mount_target", self.subnets[2]),
            ("change", "access_point", "kafka_backups"),
            ("change", "access_point", "kafka_connect"),
            ("delete", "access_point", "shared_logs"),
            ("create", "alarm", "burst_credit_balance")})
        now = self.the_fs()
        self.assertEqual((now["FileSystemId"], now["ThroughputMode"]),
                         (fs, "bursting"))
        self.assertIn({"Key": "Owner", "Value": "logs"}, now["Tags"])
        self.assertIn({"TransitionToIA": "AFTER_90_DAYS"}, self.lifecycle(fs))
        self.assertEqual(self.efs.describe_backup_policy(
            FileSystemId=fs)["BackupPolicy"]["Status"], "DISABLED")
        self.check_alarms(fs, ALARMS)
        group, = self.ec2.describe_security_groups(Filters=[
            {"Name": "tag:hawser:stack",
             "Values": ["confluent-kafka/prod"]}])["SecurityGroups"]
        self.assertEqual(sorted(r["CidrIp"] for p in group["IpPermissions"]
                                for r in p["IpRanges"]),
                         ["10.0.0.0/16", "10.1.2.3/32"])
        # Back: what was added goes, and what was taken comes.
        self.write(PRODUCTION)
        self.apply()
        self.check_network(fs, 3)

    def test_what_others_changed_is_put_right(self):
        self.write(PRODUCTION)
        self.apply()
        fs = self.the_fs()["FileSystemId"]
        other = self.efs.create_access_point(
            ClientToken="other", FileSystemId=fs)["AccessPointId"]
        target = self.efs.describe_mount_targets(
            FileSystemId=fs)["MountTargets"][0]["MountTargetId"]
        self.efs.modify_mount_target_security_groups(
            MountTargetId=target, SecurityGroups=[self.nodes])
        self.efs.tag_resource(ResourceId=fs,
                              Tags=[{"Key": "Stray", "Value": "1"}])
        name = "confluent-kafka-prod-efs-percent-io-limit"
        alarm, = self.cw.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        self.cw.put_metric_alarm(
            AlarmName=name, Namespace="AWS/EFS", Threshold=10, Period=60,
            MetricName="PercentIOLimit", Statistic="Average",
            EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold",
            Dimensions=alarm["Dimensions"])
        self.assertEqual([s[:2] for s in self.apply()],
                         [("change", "file_system"),
                          ("change", "mount_target"), ("change", "alarm")])
        self.assertNotIn("Stray", [t["Key"] for t in self.the_fs()["Tags"]])
        now, = self.cw.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        self.assertEqual(now["Threshold"], alarm["Threshold"])
        # What others made in it stays until the file system goes.
        self.efs.describe_access_points(AccessPointId=other)

    def test_what_is_fixed(self):
        self.write(PRODUCTION)
        self.apply()
        fs = self.the_fs()["FileSystemId"]
        self.write(HIGH_PERFORMANCE)
        for more in [], ["--json"]:
            self.fail_with('performance_mode can\'t be changed from '
                           '"generalPurpose" to "maxIO": the performance mode '
                           'is fixed at creation; --replace',
                           "apply", "--yes", *more, self.file)
        self.write(PRODUCTION.replace("enable_encryption: true",
                                      "enable_encryption: false")
                   .replace("kms_key_id: {key}", ""))
        self.fail_with("encrypted can't be changed from true to false: "
                       "encryption is fixed at creation",
                       "apply", "--yes", self.file)
        self.assertEqual(self.the_fs()["FileSystemId"], fs)
        steps = self.apply("--replace")
        self.assertIn(("replace", "file_system", "efs"), steps)
        self.assertIn(("change", "alarm", "percent_io_limit"), steps)
        now = self.the_fs()
        self.assertNotEqual(now["FileSystemId"], fs)
        self.assertFalse(now["Encrypted"])
        self.check_alarms(now["FileSystemId"],
                          [a for a in ALARMS if "burst" not in a])

    # ---------------------------------------------------------------- data

    def fill(self):
        address = self.outputs()["mount_target_ip_addresses"][0]
        subprocess.run(["hawser", "perf", "nfs", address + ":/", "-w", "write",
                        "-s", "64k", "-b", "4k", "-n", "1", "--keep"],
                       check=True, stdout=subprocess.DEVNULL)

    def test_data_is_not_lost(self):
        self.write(DEVELOPMENT + "allowed_cidr_blocks: [ 127.0.0.0/8 ]\n")
        self.apply()
        fs = self.the_fs()["FileSystemId"]
        self.fill()
        before = self.outputs()
        self.fail_with(f"file_system.efs ({fs}): it holds ", "destroy",
                       "--yes", self.file)
        self.write(DEVELOPMENT.replace("enable_encryption: true",
                                       "enable_encryption: false")
                   + "allowed_cidr_blocks: [ 127.0.0.0/8 ]\n")
        self.fail_with("--delete-data", "apply", "--yes", "--replace",
                       self.file)
        # Nothing was touched, ways to it neither.
        self.assertEqual(self.outputs(), before)
        self.succeed("destroy", "--yes", "--delete-data", self.file)
        self.refused("FileSystemNotFound", 404,
                     self.efs.describe_file_systems, FileSystemId=fs)

    def test_protected(self):
        self.write(DEVELOPMENT + "prevent_destroy: true\n")
        self.apply()
        # Another copy of the file does not take the protection away.
        self.write(DEVELOPMENT)
        self.fail_with("it is protected", "destroy", "--yes", "--delete-data",
                       self.file)
        self.assertEqual(self.apply(), [("change", "file_system", "efs")])
        self.succeed("destroy", "--yes", self.file)

    def test_destroy_leaves_nothing(self):
        self.write(PRODUCTION)
        before = self.count()
        self.apply()
        self.efs.create_access_point(ClientToken="one-of-others",
                                     FileSystemId=self.the_fs()[
                                         "FileSystemId"])
        self.fail_with("--yes", "destroy", self.file)
        out = self.succeed("destroy", "--yes", self.file)
        self.assertIn("Plan: 0 to create, 0 to change, 0 to replace, 12 to "
                      "delete.", out)
        self.assertEqual(self.count(), before)
        out = self.succeed("destroy", "--yes", self.file)
        self.assertIn("No changes", out)
        self.fail_with("apply it first", "outputs", self.file)

    def count(self):
        return (len(self.efs.describe_file_systems()["FileSystems"]),
                len(self.ec2.describe_security_groups()["SecurityGroups"]),
                len(self.cw.describe_alarms()["MetricAlarms"]))

    def test_two_stacks(self):
        self.write(PRODUCTION)
        self.apply()
        prod = self.outputs()
        self.write(PRODUCTION, environment="dev")
        self.assertEqual(len(self.apply()), 11)
        self.assertNotEqual(self.outputs()["file_system_id"],
                            prod["file_system_id"])
        self.succeed("destroy", "--yes", self.file)
        self.write(PRODUCTION)
        self.assertEqual(self.outputs(), prod)

    def test_two_stacks_with_the_same_names(self):
        self.write(PRODUCTION)
        self.apply()
        other = self.file.read_text().replace(
            "project_name: confluent-kafka", "project_name: confluent"
        ).replace("environment: prod", "environment: kafka-prod")
        path = self.file.with_name("other.yaml")
        path.write_text(other)
        self.fail_with("is that of the stack confluent-kafka/prod", "apply",
                       "--yes", path)
        self.assertEqual(self.apply(), [])

    # ------------------------------------------------------------- the plan

    def ask(self, answer):
        """Applies it at a terminal, and answers the question so."""
        terminal, stdin = pty.openpty()
        os.write(terminal, answer)
        with subprocess.Popen(["hawser", "apply", self.file], stdin=stdin,
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.PIPE) as running:
            _, err = running.communicate(timeout=60)
        os.close(terminal)
        os.close(stdin)
        self.assertIn("Do it?", err)
        return running.returncode, err

    def test_question(self):
        self.write(DEVELOPMENT)
        before = self.count()
        for answer in b"y\n", b"\n", b"no\n", b"yes please\n", b"\x04":
            status, err = self.ask(answer)
            self.assertEqual((status, self.count()), (1, before), answer)
            self.assertIn("nothing was done", err)
        self.assertEqual(self.ask(b"yes\n")[0], 0)
        self.the_fs()

    def test_plan_is_shown_and_not_followed(self):
        self.write(PRODUCTION)
        out = self.succeed("plan", self.file)
        self.assertIn("  + file_system.efs\n", out)
        self.assertIn('      + throughput_mode = "elastic"\n', out)
        self.assertIn("Plan: 11 to create, 0 to change, 0 to replace, 0 to "
                      "delete.", out)
        self.fail_with("standard input is no terminal", "apply", self.file)
        self.fail_with("apply it first", "outputs", self.file)
        self.apply()
        self.write(PRODUCTION.replace("elastic", "bursting"))
        out = self.succeed("plan", self.file)
        self.assertIn('      ~ throughput_mode = "elastic" -> "bursting"\n',
                      out)
        plan = json.loads(self.succeed("plan", "--json", self.file))
        self.assertEqual((plan["stack"], plan["done"], plan["summary"]),
                         ("confluent-kafka/prod", False,
                          {"create": 1, "change": 1, "replace": 0,
                           "delete": 0}))
        step, = [s for s in plan["steps"] if s["kind"] == "file_system"]
        self.assertEqual(step["changes"],
                         [{"attribute": "throughput_mode", "old": "elastic",
                           "new": "bursting"}])

    # -------------------------------------------------------------- outputs

    def test_outputs(self):
        self.write(PRODUCTION)
        self.apply()
        out = self.outputs()
        fs = self.the_fs()
        self.assertEqual(out["file_system_id"], fs["FileSystemId"])
        self.assertEqual(out["file_system_arn"], fs["FileSystemArn"])
        self.assertEqual(out["file_system_dns_name"], fs["FileSystemId"] +
                         ".efs.us-east-1.amazonaws.com")
        targets = {t["SubnetId"]: t for t in self.efs.describe_mount_targets(
            FileSystemId=fs["FileSystemId"])["MountTargets"]}
        for name, member in (("ids", "MountTargetId"),
                             ("ip_addresses", "IpAddress"),
                             ("availability_zones", "AvailabilityZoneName")):
            self.assertEqual(out["mount_target_" + name],
                             [targets[s][member] for s in self.subnets[:3]])
        for name in ("kafka_backups", "kafka_connect"):
            point = out[name.replace("backups", "backup") +
                        "_access_point_id"]
            text = self.succeed("outputs", self.file,
                                "kubernetes_pv_" + name)
            self.assertEqual(text, out["kubernetes_pv_" + name])
            self.assertIn(f"volumeHandle: {fs['FileSystemId']}::{point}\n",
                          text)
        self.assertIn(f"fileSystemId: {fs['FileSystemId']}\n",
                      out["kubernetes_storage_class"])
        self.assertIn(out["mount_target_ip_addresses"][0] + ":/ ",
                      out["mount_command"])
        self.assertEqual(
            self.succeed("outputs", self.file, "mount_target_ids").split(),
            out["mount_target_ids"])
        self.fail_with("did you mean mount_command", "outputs", self.file,
                       "mount_comand")

    def test_manifests_are_yaml(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("no python3-yaml")
        self.write(PRODUCTION)
        self.apply()
        out = self.outputs()
        kinds = [d["kind"] for name in ("kubernetes_storage_class",
                                        "kubernetes_pv_kafka_backups",
                                        "kubernetes_pv_kafka_connect")
                 for d in yaml.safe_load_all(out[name])]
        self.assertEqual(kinds, ["StorageClass", "PersistentVolume",
                                 "PersistentVolumeClaim", "PersistentVolume",
                                 "PersistentVolumeClaim"])


if __name__ == "__main__":
    unittest.main()
