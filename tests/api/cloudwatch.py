# SPDX-License-Identifier: Apache-2.0
"""CloudWatch as boto3 meets it; run by cloudwatch.sh, on a service whose
metering period is a second."""
import datetime
import http.server
import json
import os
import subprocess
import threading
import time
import unittest
import uuid

import lib

UTC = datetime.timezone.utc
ALERTS = "arn:aws:sns:us-east-1:123456789012:EFSAlerts"
FAILS = "arn:aws:sns:us-east-1:123456789012:fails"
HOOK = "arn:aws:sns:us-east-1:123456789012:hook"


def eventually(what, *arguments):
    """The first result that is true; tests wait for nothing else."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        result = what(*arguments)
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"never: {what.__name__} {arguments}")


class CloudWatch(lib.Case):
    def setUp(self):
        self.efs = lib.client()
        self.cw = lib.client("cloudwatch")

    @classmethod
    def setUpClass(cls):
        efs = lib.client()
        cls.fs = efs.create_file_system(
            CreationToken=str(uuid.uuid4()))["FileSystemId"]
        subnet = json.loads(lib.hawser("subnet", "list", "--json"))[0]["id"]
        cls.at = efs.create_mount_target(
            FileSystemId=cls.fs, SubnetId=subnet)["IpAddress"] + ":/"

    def dimensions(self, **more):
        return [{"Name": n, "Value": v}
                for n, v in {"FileSystemId": self.fs, **more}.items()]

    def points(self, metric, *statistics, period=60, **more):
        now = datetime.datetime.now(UTC)
        reply = self.cw.get_metric_statistics(
            Namespace="AWS/EFS", MetricName=metric,
            Dimensions=self.dimensions(**more),
            StartTime=now - datetime.timedelta(minutes=20),
            EndTime=now + datetime.timedelta(minutes=1), Period=period,
            Statistics=list(statistics))
        return reply["Datapoints"]

    def total(self, metric, statistic):
        return sum(p[statistic] for p in self.points(metric, statistic))

    def load(self, *how):
        out = subprocess.run(
            ["hawser", "perf", "nfs", self.at, "--json", "-s", "1m", *how],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(out)

    def test_what_was_done_is_what_is_told(self):
        before = self.total("DataWriteIOBytes", "Sum")
        # The file is written once first, in whatever pieces.
        done = self.load("-w", "write", "-b", "64k", "-n", "32")["bytes"]
        eventually(lambda: self.total("DataWriteIOBytes", "Sum") >=
                   before + done)
        for metric, unit in (("BurstCreditBalance", "Bytes"),
                             ("PermittedThroughput", "Bytes/Second"),
                             ("PercentIOLimit", "Percent"),
                             ("ClientConnections", "Count")):
            point = self.points(metric, "Average", "Maximum")[-1]
            self.assertEqual(point["Unit"], unit)
        self.assertAlmostEqual(
            self.points("BurstCreditBalance", "Average")[0]["Average"],
            2.1 * 2**40, -9)
        self.assertEqual(
            self.points("PermittedThroughput", "Minimum")[-1]["Minimum"],
            100 << 20)
        self.assertGreater(self.total("TotalIOBytes", "Sum"),
                           self.total("DataWriteIOBytes", "Sum"))
        self.assertGreater(self.total("TotalIOBytes", "SampleCount"),
                           self.total("DataWriteIOBytes", "SampleCount"))
        for which in ("Total", "Standard", "IA", "Archive"):
            self.assertTrue(self.points("StorageBytes", "Average",
                                        StorageClass=which))
        self.assertEqual(self.points("StorageBytes", "Average"), [])

    def test_get_metric_data(self):
        now = datetime.datetime.now(UTC)
        times = {"StartTime": now - datetime.timedelta(minutes=10),
                 "EndTime": now + datetime.timedelta(minutes=1)}

        def ask(metric, stat="Sum", **more):
            return {"Id": "q" + metric.lower(), "MetricStat": {
                "Metric": {"Namespace": "AWS/EFS", "MetricName": metric,
                           "Dimensions": self.dimensions()},
                "Period": 60, "Stat": stat}, **more}

        def answered():
            reply = self.cw.get_metric_data(
                MetricDataQueries=[ask("TotalIOBytes"),
                                   ask("ClientConnections", "Maximum",
                                       Label="who")], **times)
            return reply["MetricDataResults"][1]["Values"] and reply

        results = eventually(answered)["MetricDataResults"]
        self.assertEqual([r["Id"] for r in results],
                         ["qtotaliobytes", "qclientconnections"])
        self.assertEqual(results[1]["Label"], "who")
        self.assertEqual(len(results[0]["Timestamps"]),
                         len(results[0]["Values"]))
        self.assertEqual(results[0]["Timestamps"][0].second, 0)
        self.refused("ValidationError", 400, self.cw.get_metric_data,
                     MetricDataQueries=[{"Id": "e", "Expression": "1+1"}],
                     **times)

    def test_list_metrics(self):
        pages = self.cw.get_paginator("list_metrics").paginate(
            Namespace="AWS/EFS", Dimensions=[
                {"Name": "FileSystemId", "Value": self.fs}])
        names = [m["MetricName"] for p in pages for m in p["Metrics"]]
        for name in ("BurstCreditBalance", "PermittedThroughput",
                     "MeteredIOBytes", "TotalIOBytes", "DataReadIOBytes",
                     "DataWriteIOBytes", "MetadataIOBytes",
                     "ClientConnections", "PercentIOLimit"):
            self.assertEqual(names.count(name), 1)
        self.assertEqual(names.count("StorageBytes"), 4)
        self.assertEqual(self.cw.list_metrics(Namespace="AWS/EC2")["Metrics"],
                         [])

    def test_wrong_questions(self):
        now = datetime.datetime.now(UTC)
        right = {"Namespace": "AWS/EFS", "MetricName": "TotalIOBytes",
                 "StartTime": now - datetime.timedelta(hours=1),
                 "EndTime": now, "Period": 60, "Statistics": ["Sum"],
                 "Dimensions": self.dimensions()}
        for code, wrong in (
                ("InvalidParameterValue", {"Period": 61}),
                ("InvalidParameterValue", {"EndTime": right["StartTime"]}),
                ("InvalidParameterCombination",
                 {"StartTime": now - datetime.timedelta(days=2)}),
                ("ValidationError", {"Statistics": ["Median"]}),
                ("ValidationError", {"MetricName": ""})):
            with self.subTest(wrong):
                self.refused(code, 400, self.cw.get_metric_statistics,
                             **{**right, **wrong})
        for nothing in ({"MetricName": "Songs"}, {"Namespace": "AWS/EBS"},
                        {"Dimensions": [{"Name": "FileSystemId",
                                         "Value": "fs-/../../store"}]}):
            reply = self.cw.get_metric_statistics(**{**right, **nothing})
            self.assertEqual(reply["Datapoints"], [])

    def alarm(self, name, **more):
        self.cw.put_metric_alarm(**{**dict(
            AlarmName=name, Namespace="AWS/EFS",
            MetricName="ClientConnections", Statistic="Maximum", Period=1,
            EvaluationPeriods=3, Threshold=1000.0,
            ComparisonOperator="GreaterThanThreshold",
            Dimensions=self.dimensions()), **more})
        self.addCleanup(self.forget, name)

    def forget(self, name):
        if self.cw.describe_alarms(AlarmNames=[name])["MetricAlarms"]:
            self.cw.delete_alarms(AlarmNames=[name])

    def described(self, name):
        return self.cw.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]

    def is_in(self, name, state):
        return self.described(name)["StateValue"] == state

    def history(self, name, kind):
        return [i["HistorySummary"] for i in self.cw.describe_alarm_history(
            AlarmName=name, HistoryItemType=kind)["AlarmHistoryItems"]]

    def test_an_alarm_is_raised_and_goes(self):
        told = os.environ["TOLD"]
        self.alarm("busy", AlarmActions=[ALERTS, FAILS, "arn:aws:sns:x:y:z"],
                   OKActions=[ALERTS], AlarmDescription="too <many> & more")
        self.assertEqual(self.described("busy")["AlarmDescription"],
                         "too <many> & more")
        eventually(self.is_in, "busy", "OK")
        self.alarm("busy", AlarmActions=[ALERTS, FAILS, "arn:aws:sns:x:y:z"],
                   OKActions=[ALERTS], Threshold=-1.0)
        eventually(self.is_in, "busy", "ALARM")
        actions = eventually(
            lambda: (lambda h: h if len(h) >= 4 else None)(
                self.history("busy", "Action")))
        self.assertIn(f"Successfully executed action {ALERTS}", actions)
        self.assertIn(f"Failed to execute action {FAILS}: the command ended "
                      "with status 3", actions)
        self.assertTrue(any("does not have it" in a for a in actions))
        with open(told) as lines:
            messages = [json.loads(line) for line in lines]
        self.assertEqual(messages[-1]["NewStateValue"], "ALARM")
        self.assertEqual(messages[-1]["OldStateValue"], "OK")
        self.assertEqual(messages[-1]["Trigger"]["MetricName"],
                         "ClientConnections")
        updates = self.history("busy", "StateUpdate")
        self.assertEqual(updates[:2], ["Alarm updated from OK to ALARM",
                                       "Alarm updated from INSUFFICIENT_DATA "
                                       "to OK"])

    def test_a_webhook_is_called(self):
        heard = []

        class Listener(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                heard.append((self.path, json.loads(self.rfile.read(length))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer((os.environ["HOOK"], 9000), Listener)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.alarm("hooked", AlarmActions=[HOOK], Period=60,
                   TreatMissingData="ignore")
        self.cw.disable_alarm_actions(AlarmNames=["hooked"])
        self.assertFalse(self.described("hooked")["ActionsEnabled"])
        self.cw.set_alarm_state(AlarmName="hooked", StateValue="ALARM",
                                StateReason="silent")
        self.cw.set_alarm_state(AlarmName="hooked", StateValue="OK",
                                StateReason="silent")
        self.cw.enable_alarm_actions(AlarmNames=["hooked"])
        self.cw.set_alarm_state(AlarmName="hooked", StateValue="ALARM",
                                StateReason="a test")
        eventually(lambda: heard)
        self.assertEqual(len(heard), 1)
        self.assertEqual(heard[0][0], "/alarm")
        self.assertEqual(heard[0][1]["NewStateReason"], "a test")

    def test_missing_data(self):
        nothing = [{"Name": "FileSystemId", "Value": "fs-00000000"}]
        for rule, state in (("breaching", "ALARM"), ("notBreaching", "OK"),
                            ("missing", "INSUFFICIENT_DATA")):
            self.alarm(rule, TreatMissingData=rule, Dimensions=nothing)
            eventually(self.is_in, rule, state)

    def test_tags(self):
        def put(**more):
            self.cw.put_metric_alarm(
                AlarmName="tagged", MetricName="StorageBytes",
                Namespace="AWS/EFS", Statistic="Average", Period=60,
                EvaluationPeriods=1, Threshold=1,
                ComparisonOperator="GreaterThanThreshold", **more)

        def told():
            return {t["Key"]: t["Value"] for t in
                    self.cw.list_tags_for_resource(ResourceARN=arn)["Tags"]}

        put(Tags=[{"Key": "a", "Value": "1"}])
        alarm, = self.cw.describe_alarms(AlarmNames=["tagged"])["MetricAlarms"]
        self.assertNotIn("Tags", alarm)
        arn = alarm["AlarmArn"]
        self.cw.tag_resource(ResourceARN=arn, Tags=[
            {"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
        self.assertEqual(told(), {"a": "2", "b": "3"})
        put()  # an alarm keeps its tags
        self.cw.untag_resource(ResourceARN=arn, TagKeys=["a", "none"])
        self.assertEqual(told(), {"b": "3"})
        self.cw.delete_alarms(AlarmNames=["tagged"])
        self.refused("ResourceNotFoundException", 404,
                     self.cw.list_tags_for_resource, ResourceARN=arn)

    def test_alarms_are_found(self):
        for i in range(5):
            self.alarm(f"found-{i}", Period=60)
        pages = self.cw.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix="found-", PaginationConfig={"PageSize": 2})
        names = [[a["AlarmName"] for a in p["MetricAlarms"]] for p in pages]
        self.assertEqual(names, [["found-0", "found-1"],
                                 ["found-2", "found-3"], ["found-4"]])
        found = self.cw.describe_alarms_for_metric(
            Namespace="AWS/EFS", MetricName="ClientConnections",
            Dimensions=self.dimensions(), Period=60)["MetricAlarms"]
        self.assertEqual({a["AlarmName"] for a in found} &
                         {f"found-{i}" for i in range(5)},
                         {f"found-{i}" for i in range(5)})
        alarm = found[0]
        self.assertRegex(alarm["AlarmArn"],
                         "^arn:aws:cloudwatch:us-east-1:.*:alarm:found-0$")
        self.assertIsInstance(alarm["StateUpdatedTimestamp"],
                              datetime.datetime)
        self.refused("ResourceNotFound", 404, self.cw.delete_alarms,
                     AlarmNames=["found-0", "nobody"])
        self.assertTrue(self.cw.describe_alarms(AlarmNames=["found-0"])
                        ["MetricAlarms"])
        self.refused("ResourceNotFound", 404, self.cw.set_alarm_state,
                     AlarmName="nobody", StateValue="OK", StateReason="")
        for wrong in ({"Period": 61}, {"EvaluationPeriods": 2000},
                      {"DatapointsToAlarm": 4}, {"Statistic": "Median"},
                      {"ComparisonOperator": "Resembles"}):
            with self.subTest(wrong), self.assertRaises(Exception):
                self.alarm("wrong", **wrong)

    def test_policies_know_them_as_cloudwatch(self):
        policy = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "cloudwatch:Describe*",
            "Resource": "*"}]}
        words = lib.hawser("key", "create", "watcher", "--policy",
                           json.dumps(policy)).split()
        cw = lib.client("cloudwatch", aws_access_key_id=words[3],
                        aws_secret_access_key=words[6])
        cw.describe_alarms()
        said = self.refused("AccessDenied", 403, cw.delete_alarms,
                            AlarmNames=["x"])
        self.assertIn("cloudwatch:DeleteAlarms", said)

    def json(self, operation, **body):
        """As newer clients ask."""
        headers = {"X-Amz-Target": "GraniteServiceVersion20100801." +
                   operation, "Content-Type": "application/x-amz-json-1.0",
                   "x-amzn-query-mode": "true"}
        text = json.dumps(body).encode()
        headers.update(lib.signed("POST", "/", text, "monitoring",
                                  headers=headers))
        status, reply, data = lib.send("POST", "/", headers, text)
        return status, reply, json.loads(data)

    def test_json(self):
        status, headers, body = self.json(
            "PutMetricAlarm", AlarmName="json", Namespace="AWS/EFS",
            MetricName="TotalIOBytes", Statistic="Sum", Period=60,
            EvaluationPeriods=1, Threshold=5, Dimensions=self.dimensions(),
            ComparisonOperator="GreaterThanThreshold")
        self.assertEqual((status, body), (200, {}))
        self.addCleanup(self.forget, "json")
        self.assertEqual(headers["Content-Type"],
                         "application/x-amz-json-1.0")
        status, _, body = self.json("DescribeAlarms", AlarmNames=["json"])
        alarm = body["MetricAlarms"][0]
        self.assertIsInstance(alarm["StateUpdatedTimestamp"], float)
        self.assertIs(alarm["ActionsEnabled"], True)
        now = time.time()
        status, _, body = self.json(
            "GetMetricStatistics", Namespace="AWS/EFS", Period=60,
            MetricName="TotalIOBytes", StartTime=now - 600, EndTime=now + 60,
            Statistics=["Sum"], Dimensions=self.dimensions())
        self.assertEqual(status, 200)
        for point in body["Datapoints"]:
            self.assertEqual(point["Timestamp"] % 60, 0)
        status, headers, body = self.json("DeleteAlarms",
                                          AlarmNames=["nobody"])
        self.assertEqual(status, 404)
        self.assertEqual(body["__type"], "ResourceNotFound")
        self.assertEqual(headers["x-amzn-query-error"],
                         "ResourceNotFound;Sender")


if __name__ == "__main__":
    unittest.main()
